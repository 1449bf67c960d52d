"""Every transport keeps what transports promise."""

from __future__ import annotations

import pytest

from quantmind.testing.proving.transport_processes import PROCESS_CHECKS
from quantmind.testing.transport import CHECKS
from quantmind_nats import NATS
from quantmind_zeromq import ZeroMQ


@pytest.fixture
def zeromq(free_ports):
    options = ZeroMQ.options_model.model_validate({"endpoint": f"tcp://127.0.0.1:{free_ports}"})
    return lambda stage: ZeroMQ(options, "contract", stage)


@pytest.fixture
def local_zeromq(tmp_path):
    options = ZeroMQ.options_model.model_validate({"endpoint": f"ipc://{tmp_path}/contract"})
    return lambda stage: ZeroMQ(options, "contract", stage)


@pytest.fixture
def nats(nats_url):
    options = NATS.options_model.model_validate({"url": nats_url})
    return lambda stage: NATS(options, "contract", stage)


@pytest.mark.slow
@pytest.mark.parametrize("check", [*CHECKS, *PROCESS_CHECKS], ids=lambda check: check.__name__)
@pytest.mark.parametrize("transport", ["zeromq", "local_zeromq", "nats"])
async def test_a_transport_keeps_its_promises(request, transport, check):
    await check(request.getfixturevalue(transport))
