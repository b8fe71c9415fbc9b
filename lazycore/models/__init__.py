"""Networks h(w, x): one file per model.

Each file holds a `SPEC` and

    build(values, d, k) → Network      (lazycore.engine.networks.network; imports torch when called)
"""
