"""The checks hold, and a broken engine makes them fail."""

import pytest

from lazycore import checking, spec
from lazycore.checks import Row, collect
from lazycore.cli import main
from lazycore.errors import ConfigError


def test_every_check_has_a_name_of_its_own_and_a_source():
    checks = collect()
    assert len({c.name for c in checks}) == len(checks)
    assert all(c.source for c in checks)
    assert [c.slow for c in checks] == sorted(c.slow for c in checks), "slow ones come last"


def test_quick_leaves_out_the_slow_ones_and_patterns_choose():
    assert not any(c.slow for c in checking.select([], quick=True))
    assert {c.name for c in checking.select(["theorem-2.2-square-*"], quick=True)} == {
        "theorem-2.2-square-centered",
        "theorem-2.2-square-symmetrized",
        "theorem-2.2-square-none",
    }
    with pytest.raises(ConfigError, match="no check is called nonsense"):
        checking.select(["nonsense"], quick=False)


def test_the_fast_forms_agree_with_their_oracles():
    for name in ("kernels", "linearised-descent", "linearised-flow"):
        (check,) = checking.select([name], quick=True)
        rows = check.judge({})
        assert rows and all(row.passed for row in rows), rows


def test_the_rates_of_theorem_2_2_and_the_homogeneity_identity_hold(capsys):
    assert main(["check", "theorem-2.2-square-*", "homogeneity"]) == 0
    out = capsys.readouterr().out
    assert out.count("holds") == 8 and "FAILS" not in out and "all hold" in out


def test_a_wrong_derivative_makes_the_kernel_check_fail(monkeypatch):
    relu = spec.find("activation", "relu")

    def wrong(z, values):
        return (z > -0.1).to(z.dtype)

    monkeypatch.setattr(relu, "slope", wrong)
    monkeypatch.setattr(relu, "both", lambda z, v: (relu.sigma(z, v), wrong(z, v)))
    (check,) = checking.select(["kernels"], quick=True)
    assert not check.judge({})[0].passed


def test_a_failed_claim_ends_with_1_and_is_counted(monkeypatch, capsys):
    rows = [Row("the moon is cheese", "rock", "cheese", False)]
    monkeypatch.setattr(checking.Runs, "judge", lambda runs, check: rows)
    assert main(["check", "kernels"]) == 1
    out = capsys.readouterr().out
    assert "FAILS  the moon is cheese" in out and "1 FAILED" in out


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_figure_1_at_full_size(capsys):
    assert main(["check", "figure-1*"]) == 0
