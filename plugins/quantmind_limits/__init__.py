"""Limits: what may not be increased any further."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from quantmind.hookspecs import hookimpl
from quantmind.kinds import Component
from quantmind_limits.liquidation_distance import LiquidationDistance
from quantmind_limits.loss_streak import LossStreak
from quantmind_limits.margin_ratio import MarginRatio
from quantmind_limits.max_daily_loss import MaxDailyLoss
from quantmind_limits.max_drawdown import MaxDrawdown
from quantmind_limits.max_exposure import MaxExposure
from quantmind_limits.max_leverage import MaxLeverage
from quantmind_limits.max_open_orders import MaxOpenOrders
from quantmind_limits.max_order_notional import MaxOrderNotional
from quantmind_limits.max_position import MaxPosition
from quantmind_limits.order_rate import OrderRate
from quantmind_limits.price_band import PriceBand
from quantmind_limits.stale_data import StaleData


@hookimpl
def register_components() -> Iterable[type[Component[Any]]]:
    """Return the components of this plugin."""
    return [
        MaxPosition,
        MaxLeverage,
        MaxExposure,
        MaxOrderNotional,
        MaxOpenOrders,
        OrderRate,
        PriceBand,
        StaleData,
        MaxDrawdown,
        MaxDailyLoss,
        LossStreak,
        LiquidationDistance,
        MarginRatio,
    ]
