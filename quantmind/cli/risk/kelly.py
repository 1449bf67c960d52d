"""`quantmind risk kelly`: the part of the equity to risk on a trade."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import click

from quantmind.cli.risk.figures import Answer, figure, json_option, plain, tell
from quantmind.cli.risk.trade_results import read_results
from quantmind.errors import UsageError
from quantmind.risk.kelly import Prior, kelly, measured
from quantmind.risk.ranges import INSIDE, PART, POSITIVE, RATE
from quantmind.risk.results import Results


@click.command(
    "kelly",
    short_help="Work out the part of the equity to risk on a trade.",
    epilog="\b\nExample: quantmind risk kelly --win-rate 0.55 --reward-risk 1.5\n"
    "Example: quantmind risk kelly --file results.csv --json",
)
@figure("--win-rate", RATE, "The part of the trades that win")
@figure("--reward-risk", POSITIVE, "The mean win over the mean loss")
@figure("--fraction", PART, "The part of the Kelly fraction to hold", default="0.5")
@click.option("--file", type=click.Path(path_type=Path), help="Trade results, one on a line or a CSV column `result`.")
@figure("--level", INSIDE, "With --file: the level of the interval", default="0.9")
@figure("--prior-wins", POSITIVE, "With --file: the wins believed in beforehand", default="1")
@figure("--prior-losses", POSITIVE, "With --file: the losses believed in beforehand", default="1")
@figure("--prior-reward-risk", POSITIVE, "With --file: the ratio believed in beforehand", default="1")
@figure("--prior-weight", POSITIVE, "With --file: the trades that this ratio is worth", default="10")
@json_option
def command(
    win_rate: Decimal | None,
    reward_risk: Decimal | None,
    fraction: Decimal,
    file: Path | None,
    level: Decimal,
    prior_wins: Decimal,
    prior_losses: Decimal,
    prior_reward_risk: Decimal,
    prior_weight: Decimal,
    json_: bool,
) -> None:
    """Work out the part of the equity to risk on a trade: W - (1 - W) / R.

    With --file, W and R are measured and shrunk towards a prior: W is the mean of a Beta posterior, whose
    quantiles give the interval.
    """
    answer: Answer
    if file is not None:
        if win_rate is not None or reward_risk is not None:
            raise UsageError("--file measures the win rate and the ratio; leave out --win-rate and --reward-risk")

        results = Results.of(read_results(file))
        found = measured(results, Prior(prior_wins, prior_losses, prior_reward_risk, prior_weight), level)
        full, w, r = found.kelly, found.win_rate, found.reward_risk
        answer = {
            "win_rate": w,
            "win_rate_low": found.win_rate_low,
            "win_rate_high": found.win_rate_high,
            "reward_risk": r,
            "trades": found.trades,
            "wins": results.wins,
            "losses": results.losses,
            "level": level,
            "low": found.low,
            "high": found.high,
            "unshrunk": found.unshrunk,
        }
        bare = results.reward_risk
        unshrunk = "unknown" if found.unshrunk is None else plain(found.unshrunk)
        posterior = f"({plain(prior_wins)} + {results.wins}) / ({plain(prior_wins + prior_losses)} + {found.trades})"
        ratio = "not measured" if bare is None else f"measured {plain(bare)}"
        more = [
            f"{plain(level * 100)} % interval {plain(found.low)} to {plain(found.high)}; unshrunk {unshrunk}",
            f"win rate {plain(w)} = {posterior}, {plain(found.win_rate_low)} to {plain(found.win_rate_high)}",
            f"reward/risk {plain(r)}, {ratio}, prior {plain(prior_reward_risk)} worth {plain(prior_weight)} trades",
        ]
    elif win_rate is None or reward_risk is None:
        raise UsageError("give --win-rate and --reward-risk, or --file with trade results")
    else:
        full, w, r = kelly(win_rate, reward_risk), win_rate, reward_risk
        answer, more = {"win_rate": w, "reward_risk": r}, []
    f = max(full, Decimal(0)) * fraction
    hold = f"f {plain(f)} = {plain(fraction)} * {plain(full)}, the part of the equity to risk on a trade"
    lines = [
        f"kelly {plain(full)} = {plain(w)} - (1 - {plain(w)}) / {plain(r)}",
        *more,
        hold if full > 0 else "f 0: there is no edge, hold nothing",
    ]
    tell(lines, json_, kelly=full, fraction=fraction, f=f, **answer)
