"""Every command with arguments that are wrong in every way: one line, the documented code, nothing half-written."""


def test_every_command_is_in_the_walk(right, every):
    assert set(every) == set(right)


def test_the_right_call_is_right(command, right, call, behaves):
    arguments = [*command.split(), *right[command]]
    code, output, errors = call(*arguments)
    behaves(code, output, errors, arguments)
    assert code == (1 if command == "top" else 0), (output, errors)


def test_odd_values(name, parameter, mistaken, call, behaves):
    faults = []
    for arguments in mistaken(name, parameter):
        try:
            behaves(*call(*arguments), arguments)
        except AssertionError as fault:
            faults.append(str(fault))
    assert not faults, "\n".join(fault[:1500] for fault in faults)
