"""Of the path of iterative linearisation, where the run has one (`refresh_every`)."""

from lazycore.results.quantities import reductions
from lazycore.results.quantities.declared import (
    ARRAY,
    OF_OUTPUTS,
    RUN,
    Number,
    Quantity,
)

PLACE = 7


def _of_stages(name: str, meaning: str, *numbers: Number, needs: tuple[str, ...] = ()) -> Quantity:
    return Quantity(
        name=f"refreshed.{name}",
        meaning=meaning,
        at=RUN,
        kind=ARRAY,
        axes=("stages",),
        needs=needs,
        numbers=numbers,
    )


REFRESHED_GAP = Quantity(
    name="refreshed.gap",
    meaning="rms over training points of αh(w) − αh̃(w̃), the third path's distance to the network",
    title="output distance to the network, rms",
    unit=OF_OUTPUTS,
    numbers=(
        Number(
            name="refreshed_final_gap",
            words="iterative linearisation: output distance to the network",
            how=reductions.final,
        ),
    ),
)
REFRESHED_TEST_OUTPUTS = Quantity(
    name="refreshed.test_outputs",
    meaning="αh̃ on the first 1,000 test points, (n', k)",
    unit=OF_OUTPUTS,
    axes=("test points", "outputs"),
)
UPDATES = Quantity(
    name="refreshed.updates",
    meaning="how often features have been taken, the start included: ⌈T/K⌉ at the end",
    at=RUN,
    numbers=(Number(name="updates", words="feature updates", how=reductions.once),),
)
STAGE_STEP = _of_stages(
    "stage_step",
    "steps at which the recorded stages begin: about 40, geometric where there are more",
    needs=tuple(
        f"refreshed.{name}" for name in ("stability", "kernel_distance", "stage_step_size")
    ),
)
STAGE_TIME = _of_stages("stage_time", "the same in flow time")
STABILITY = _of_stages(
    "stability",
    "curvature of the loss · η λ_max(Θ_s) of each, for the η asked for: above 2 its steps diverge",
    Number(
        name="refreshed_stability",
        words="iterative linearisation: largest ηλ_max of a stage",
        how=reductions.largest,
    ),
)
STAGE_STEP_SIZE = _of_stages(
    "stage_step_size", "the η used (`refresh_cap=stable`: at most 1/(curvature · λ_max))"
)
KERNEL_DISTANCE = _of_stages(
    "kernel_distance",
    "1 − ⟨Θ_s, Θ₀⟩/(‖Θ_s‖ ‖Θ₀‖) of each, on as many first points as have 1,000 outputs",
    Number(
        name="refreshed_kernel_distance",
        words="iterative linearisation: kernel distance of the last stage",
        how=reductions.last_of_list,
    ),
)
STAGE_SPECTRUM = Quantity(
    name="refreshed.spectrum",
    meaning="eigenvalues of Θ_s/n of four stages, on those points",
    at=RUN,
    kind=ARRAY,
    axes=("marked stages", "eigenvalues of a stage"),
    needs=("refreshed.spectrum_step",),
)
SPECTRUM_STEP = Quantity(
    name="refreshed.spectrum_step",
    meaning="steps at which these four stages begin",
    at=RUN,
    kind=ARRAY,
    axes=("marked stages",),
)

QUANTITIES = (
    *(REFRESHED_GAP, REFRESHED_TEST_OUTPUTS, UPDATES, STAGE_STEP, STAGE_TIME, STABILITY),
    *(STAGE_STEP_SIZE, KERNEL_DISTANCE, STAGE_SPECTRUM, SPECTRUM_STEP),
)
