"""The order of the examples, and their figures on other pages."""

from pathlib import Path

from docutils import nodes
from docutils.parsers.rst.directives.images import Figure

# From first to last need: sections, and the examples of each.
SECTIONS = {
    "": ["quickstart"],
    "tables": [
        "plot_credit_default",
        "plot_german_credit",
        "plot_german_credit_networks",
        "plot_breast_cancer",
        "plot_batch_size_epochs",
        "plot_inspection",
    ],
    "sequences": ["plot_sensors", "plot_unequal_lengths", "plot_networks"],
    "series": [
        "plot_air_quality",
        "plot_window_leak",
        "plot_quantiles",
        "plot_gold_price",
    ],
    "text": ["plot_tweets", "plot_text_convolution", "plot_generate_text"],
    "rare_classes": ["plot_imbalance", "plot_threshold", "plot_sampler_inside"],
    "autoencoders": [
        "plot_autoencoder_anomalies",
        "plot_autoencoder_tsne",
        "plot_autoencoder_pretraining",
        "plot_autoencoder_sample",
    ],
    "training": [
        "plot_learning_rates",
        "plot_elu_batch_normalization",
        "plot_gradient_clipping",
        "plot_continue_training",
    ],
    "searches": ["plot_optuna", "grid_144"],
    "own_networks": ["plot_own_attention", "plot_dropconnect"],
    "production": ["plot_memmap", "plot_serving_onnx"],
}
ORDER = [f"{name}.py" for names in SECTIONS.values() for name in names]


class ExampleOrder:
    """Sort key of sphinx-gallery for the examples of one section."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, name):
        return ORDER.index(name)

    def __repr__(self):
        # sphinx-gallery compares configurations by this text.
        return "<ExampleOrder>"


class GalleryFigure(Figure):
    """A figure of an example, with a link to the example.

    The argument is ``section/example number``. A build that does not run the example
    has no figure, and shows the link alone.
    """

    def run(self):
        example, _, number = self.arguments[0].partition(" ")
        section, _, name = example.rpartition("/")
        folder = f"auto_examples/{section}" if section else "auto_examples"
        picture = f"{folder}/images/sphx_glr_{name}_{int(number or 1):03d}.png"
        if not (Path(self.state.document.settings.env.srcdir) / picture).exists():
            link, _ = self.state.inline_text(
                f"See :doc:`/auto_examples/{example}`.", self.lineno
            )
            return [nodes.paragraph("", "", *link)]
        self.arguments = [f"/{picture}"]
        depth = self.state.document.settings.env.docname.count("/")
        self.options["target"] = f"{'../' * depth}{folder}/{name}.html"
        return super().run()


def setup(app):
    """Register the directive ``gallery-figure``."""
    app.add_directive("gallery-figure", GalleryFigure)
    return {"parallel_read_safe": True}
