import json
from pathlib import Path

import pytest

STAGES = ("feed", "strategy", "execution", "sink")
LOOPBACK = "tcp://127.0.0.1:5555"
KINDS = {"system": (), "user": ("--user",), "template": ("--template",), "template of a user": ("--template", "--user")}


@pytest.fixture(params=KINDS)
def written(request, project):
    """The units of a recipe in stages, of one kind."""
    project.units(project.zeromq(LOOPBACK), *KINDS[request.param])
    return project.files, "--user" in KINDS[request.param]


def test_systemd_finds_no_fault(written, analyze):
    files, user = written
    verified = analyze("verify", *(["--user"] if user else []), *files)
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


def test_systemd_finds_no_fault_in_one_process(project, analyze):
    project.units(project.recipe())
    verified = analyze("verify", *project.files)
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


@pytest.mark.parametrize("options", [(), ("--template",), ("--user-name", "trader"), ("--writable-code",)])
def test_every_service_is_hardened(project, analyze, options):
    for unit in project.units(project.zeromq(LOOPBACK), *options).values():
        assert exposure(analyze, unit) <= 1.5


def test_one_process_is_hardened(project, analyze):
    (unit,) = project.units(project.recipe()).values()
    assert exposure(analyze, unit) <= 1.5


def test_what_a_users_manager_cannot_take_away_is_all_that_is_missing(project, analyze):
    for unit in project.units(project.zeromq(LOOPBACK), "--user").values():
        rows = json.loads(analyze("security", "--user", "--offline=true", "--json=short", unit.path).stdout)
        open_ = {row["json_field"] for row in rows if float(row["exposure"] or 0) >= 0.2}
        assert not {field for field in open_ if field.startswith(("SystemCall", "Restrict"))} - INTERNET
        assert not open_ & {"NoNewPrivileges", "ProtectSystem", "PrivateTmp", "MemoryDenyWriteExecute", "UMask"}


INTERNET = {"RestrictAddressFamilies_AF_INET_INET6", "SystemCallFilter_resources"}


def exposure(analyze, unit):
    printed = analyze("security", "--offline=true", unit.path).stdout
    (line,) = (line for line in printed.splitlines() if "Overall exposure level" in line)
    return float(line.rpartition(": ")[2].split()[0])


def test_a_stage_is_started_by_absolute_paths_and_stops_in_the_order_of_a_tick(project):
    recipe = project.zeromq(LOOPBACK)
    units = project.units(recipe)
    assert list(units) == sorted(f"quantmind-small-{stage}.service" for stage in STAGES)
    for stage in STAGES:
        unit = units[f"quantmind-small-{stage}.service"]
        assert unit.command()[1:] == ["run", str(recipe), "--stage", stage]
        assert Path(unit.command()[0]).is_absolute()
        first = {f"quantmind-small-{later}.service" for later in STAGES[STAGES.index(stage) + 1 :]}
        assert set(unit["After"]) == first | {"network-online.target"}
        assert unit.one("PartOf") == "quantmind-small.target"
        assert unit.one("Type") == "notify"
        assert unit.one("RestartPreventExitStatus") == "2 78"
        assert unit["ExecStartPre"] == []
        assert unit.one("StateDirectory") == "quantmind"
        assert unit.one("WorkingDirectory") == str(project.folder)
    target = (project.folder / "units" / "quantmind-small.target").read_text()
    assert target.count("Wants=") == len(STAGES)
    assert "WantedBy=multi-user.target" in target


def test_one_process_is_one_service(project):
    recipe = project.recipe()
    assert list(project.units(recipe)) == ["quantmind-small.service"]
    assert "Wants=quantmind-small.service" in (project.folder / "units" / "quantmind-small.target").read_text()


def test_a_recipe_without_sinks_has_no_stage_for_them(project):
    recipe = project.zeromq(LOOPBACK)
    recipe.write_text(recipe.read_text().partition("sinks:")[0])
    assert "quantmind-small-sink.service" not in project.units(recipe)


def test_units_of_a_user_name_no_user_and_nothing_of_the_system(project):
    for unit in project.units(project.zeromq(LOOPBACK), "--user").values():
        assert "User" not in unit.settings
        assert "DynamicUser" not in unit.settings
        assert "ProtectHome" not in unit.settings
        assert "network-online" not in unit.text
    assert "WantedBy=default.target" in (project.folder / "units" / "quantmind-small.target").read_text()


def test_only_the_strategy_stage_is_kept_to_this_machine(project):
    units = project.units(project.zeromq(LOOPBACK))
    kept = {name for name, unit in units.items() if unit["IPAddressDeny"]}
    assert kept == {"quantmind-small-strategy.service"}
    local = project.units(project.zeromq("ipc:///run/quantmind/small/bus"))["quantmind-small-strategy.service"]
    assert local["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert local["IPAddressAllow"] == []


def test_an_endpoint_that_the_stages_do_not_share_is_told(project):
    project.units(project.zeromq("ipc:///tmp/bus"))
    assert any("ipc:///tmp/bus is not in the folder" in line for line in project.answer["notices"])
    project.units(project.zeromq("ipc:///run/quantmind/small/bus"))
    assert not any("is not in the folder" in line for line in project.answer["notices"])


def test_variables_come_from_a_file_of_the_operator(project, monkeypatch):
    monkeypatch.delenv("BUS", raising=False)
    units = project.units(project.zeromq("${BUS}"))
    assert all(unit["EnvironmentFile"] == ["-/etc/quantmind/small.env"] for unit in units.values())
    assert all(unit["IPAddressDeny"] == [] for unit in units.values())
    assert any("set BUS in /etc/quantmind/small.env" in line for line in project.answer["notices"])
    assert (
        project.units(project.zeromq("${BUS:-" + LOOPBACK + "}"))["quantmind-small-feed.service"]["EnvironmentFile"]
        == []
    )


def test_a_name_a_state_and_a_user_of_its_own(project):
    recipe = project.zeromq(LOOPBACK)
    units = project.units(recipe, "--name", "desk", "--state", "desk-1", "--user-name", "trader")
    unit = units["desk-feed.service"]
    assert (unit.one("StateDirectory"), unit.one("User"), unit["DynamicUser"]) == ("desk-1", "trader", [])
    assert "QUANTMIND_STATE=%S/desk-1" in unit["Environment"]
    assert (project.folder / "units" / "desk.target").is_file()


def test_the_folder_of_the_interpreter_and_the_project_can_be_seen(project):
    # The project of a test is below /tmp, which a stage sees empty.
    (unit,) = project.units(project.recipe()).values()
    assert str(project.folder) in unit["BindReadOnlyPaths"]
