"""Options of the zeromq transport: where each stage is, and by which keys it is known."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, SecretStr, ValidationInfo, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from quantmind.kinds import Options
from quantmind.kinds.transport import STAGES
from quantmind_zeromq.endpoint import check_address, check_endpoint, numeric, remote_host

Stage = Literal["feed", "strategy", "execution", "sink"]

_KEY = re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}", re.ASCII)


def check_key(text: str) -> str:
    """Return a public key in the form of 40 characters (Z85).

    Raises:
        ValueError: it has another form.
    """
    if not _KEY.fullmatch(text):
        raise ValueError("must be a public key of 40 characters, as `quantmind zeromq keys` writes it")
    return text


def _check_all(given: dict[Stage, str] | None) -> dict[Stage, str] | None:
    if given is not None:
        missing = [stage for stage in STAGES if stage not in given]
        if missing:
            raise ValueError(f"must name every stage: give {', '.join(missing)} too")
        for stage, value in given.items():
            twin = next((other for other in given if other != stage and given[other] == value), None)
            if twin is not None:
                raise ValueError(f"each stage needs its own: {stage} and {twin} have the same")
    return given


def _check_reach(text: str, info: ValidationInfo) -> str:
    check_address(text)
    host = remote_host(text)
    # A curve that was refused itself is not there, and told already.
    if host and "curve" in info.data and info.data["curve"] is None:
        raise ValueError(
            f"{host} is not on this machine: give curve: {{keys: FOLDER}}, because frames are not encrypted"
        )
    return text


PublicKey = Annotated[str, AfterValidator(check_key)]


class CurveOptions(Options):
    """The stage's own secret key, and the public keys of all that it talks to."""

    keys: str | None = Field(
        default=None,
        min_length=1,
        description="Folder with STAGE.key of this stage and STAGE.pub of all, as `quantmind zeromq keys` writes them.",
    )
    secret_key: SecretStr | None = Field(
        default=None, description="The stage's secret key, 40 characters, in place of STAGE.key in the folder."
    )
    public_keys: Annotated[dict[Stage, PublicKey] | None, AfterValidator(_check_all)] = Field(
        default=None, description="The public key of each stage, in place of the folder."
    )
    allow: tuple[PublicKey, ...] = Field(
        default=(), description="Public keys of others that may listen, such as an observer's."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.keys is None and self.secret_key is None:
            raise ValueError("needs the stage's secret key: give `keys` or `secret_key`")
        if (self.keys is None) == (self.public_keys is None):
            raise ValueError("needs the public keys of all stages, once: give `keys` or `public_keys`")
        return self


class ZeroMQOptions(Options):
    """Where the stages meet."""

    curve: CurveOptions | None = Field(
        default=None, description="Keys of the stages: encrypts every frame and lets in only whom they name."
    )
    endpoint: Annotated[str, AfterValidator(check_endpoint)] | None = Field(
        default="tcp://127.0.0.1:5555",
        examples=["tcp://127.0.0.1:5555"],
        description="tcp://127.0.0.1:PORT, the first of four ports, or ipc:///PATH, the start of four names.",
    )
    endpoints: Annotated[
        dict[Stage, Annotated[str, AfterValidator(_check_reach)]] | None, AfterValidator(_check_all)
    ] = Field(
        default=None,
        description="In place of `endpoint`, the address of each stage, on any machine: tcp://IP:PORT or ipc:///PATH.",
    )
    high_water_mark: int = Field(
        default=10_000,
        ge=1,
        description="Frames that ZeroMQ keeps for each subscriber, and each subscriber keeps.",
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say the fields, though a validator comes before them: it takes no other keys."""
        return handler(schema)

    @model_validator(mode="before")
    @classmethod
    def _choose(cls, given: Any) -> Any:
        # Who names each address does not mean the default too.
        if isinstance(given, dict) and given.get("endpoints") is not None and "endpoint" not in given:
            return {**given, "endpoint": None}
        return given

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.endpoint is None) == (self.endpoints is None):
            raise ValueError("give one of `endpoint` (this machine) and `endpoints` (each stage's address)")
        if self.endpoints is not None:
            _check_all({stage: numeric(text) for stage, text in self.endpoints.items()})
        return self
