"""Every command with arguments that are wrong in every way: one line, the documented code, nothing half-written."""


def test_every_command_is_in_the_walk(right, every):
    assert set(every) == set(right)


def test_the_right_call_is_right(command, right, call, behaves, endless):
    arguments = [*command.split(), *right[command]]
    code, output, errors = call(*arguments)
    behaves(code, output, errors, arguments)
    # Interrupted before it is up, a command without an end has done nothing.
    right_codes = {1} if command == "top" else {0, 130} if command in endless else {0}
    assert code in right_codes, (output, errors)


def test_odd_values(name, parameter, mistaken, call, behaves):
    faults = []
    for arguments in mistaken(name, parameter):
        try:
            behaves(*call(*arguments), arguments)
        except AssertionError as fault:
            faults.append(str(fault))
    assert not faults, "\n".join(fault[:1500] for fault in faults)
