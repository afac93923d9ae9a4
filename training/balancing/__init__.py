"""The table of loss balancers. A second one makes this a union discriminated by `kind`, as in model.sharing."""

from training.balancing.fixed import FixedConfig

AnyBalancing = FixedConfig
