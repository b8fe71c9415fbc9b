"""What the fields of a run are called on a page, where their names are no words. No imports."""

WORDS = {
    "activation_beta": "Sharpness β of the activation",
    "activation_gain": "Gain of the activation",
    "alpha": "α, output scale",
    "batch_seed": "Seed of the mini-batches",
    "batch_size": "Points in a mini-batch",
    "bend": "Bend of the model",
    "bias": "Biases",
    "bias_gain": "Gain of the biases",
    "data_classes": "Classes in the file",
    "data_file": "File",
    "data_hash": "Hash of the file",
    "data_missing": "Missing values",
    "data_seed": "Seed of the data",
    "data_shape": "Shape of a point",
    "data_target": "Column to be learned",
    "data_without": "Columns left out",
    "dim": "Input dimension",
    "dtype": "Precision",
    "dynamics": "How it is trained",
    "emnist_split": "Part of EMNIST",
    "first_layer_rate": "Rate of the first layer",
    "gradient_tolerance": "Change of the gradient in a step",
    "init_scale": "Initial scale τ",
    "init_seed": "Seed of the weights",
    "keep": "What is kept",
    "loss_beta": "Sharpness β of the loss",
    "margin": "Margin to be reached",
    "momentum": "Momentum μ",
    "n_test": "Test points",
    "n_train": "Training points",
    "output_tolerance": "Change of an output in a step",
    "parity_order": "Signs in the product",
    "pca": "Principal components kept",
    "refresh_cap": "Limit on a stage",
    "refresh_every": "Steps between refreshes",
    "refresh_schedule": "Lengths of the stages",
    "refresh_solver": "What a stage does",
    "scaling": "Scaling of the layers",
    "schedule": "Step size over time",
    "schedule_decay": "Decay of the step size",
    "step_size": "Step size η",
    "steps": "Number of steps",
    "stop": "Stops early",
    "target_1": "First coordinate of the target",
    "target_2": "Second coordinate of the target",
    "target_norm": "Length of the target",
    "target_scaling": "Scale of the targets",
    "target_size": "Size of the target",
    "time": "Length of the run",
    "tolerance": "Error aimed at",
    "weights": "Number of weights",
    "width_multiplier": "Factor on the channels",
    "zero_output": "Output zero at the start",
}


def label(name: str) -> str:
    """Return what a field is called: its words, or its name where that is made of words.

    >>> label("zero_output"), label("matrix_size")
    ('Output zero at the start', 'Matrix size')
    """
    return WORDS.get(name) or name.replace("_", " ").capitalize()


def sentence(meaning: str) -> str:
    """Return a meaning as a sentence, with a capital and a full stop.

    >>> sentence("points n")
    'Points n.'
    """
    # A symbol at the beginning stays as it is: η is not Η.
    first = meaning[:1].upper() if meaning[:2].isascii() and meaning[1:2].isalpha() else meaning[:1]
    return f"{first}{meaning[1:]}".rstrip(".") + "."
