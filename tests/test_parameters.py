"""Parameters: declared once, seen by `help`, by `inspect` and in notebooks."""

import inspect
import re
from numbers import Integral

import pytest
from numpydoc.docscrape import ClassDoc
from sklearn.base import BaseEstimator, clone
from sklearn.utils import estimator_html_repr

import skseq
from estimators import names, public_methods
from skseq._parameters import Declared, parameter
from skseq._validation import Interval, check_parameters

NAMES = names()


class Trained(Declared):
    """A class with epochs.

    Attributes
    ----------
    n_iter_ : int
        Epochs run.
    """

    epochs: int = parameter(
        default=30,
        constraint=[Interval(Integral, 1, None, closed="left")],
        text="""int
        Passes over the rows.

        More about them.""",
        group="training",
    )


class Sized(Declared):
    """A class with units."""

    units: int = parameter(
        default=8, constraint=[int], text="int\nWidth of the layer.", kw_only=False
    )
    word: str = parameter(default="a", constraint=[str], text="str\nA word.")


class Network(Sized, Trained, BaseEstimator):
    """A network.

    Extended.

    Attributes
    ----------
    model_ : object
        The network itself.

    Examples
    --------
    >>> 1 + 1
    2
    """

    epochs: int = 100


def test_constructor_comes_from_the_declarations():
    assert str(inspect.signature(Network)) == (
        "(units: int = 8, *, word: str = 'a', epochs: int = 100)"
    )
    assert vars(Network(3, epochs=2)) == {"units": 3, "word": "a", "epochs": 2}
    assert Network(3, epochs=2).get_params() == {"units": 3, "word": "a", "epochs": 2}
    assert clone(Network(3)).units == 3
    assert Trained().epochs == 30  # the base class keeps its default


def test_docstring_comes_from_the_declarations():
    assert inspect.cleandoc(Network.__doc__) == inspect.cleandoc(
        """A network.

        Extended.

        Parameters
        ----------
        units : int, default=8
            Width of the layer.

        word : str, default="a"
            A word.

        epochs : int, default=100
            Passes over the rows.

            More about them.

        Attributes
        ----------
        model_ : object
            The network itself.

        n_iter_ : int
            Epochs run.

        Examples
        --------
        >>> 1 + 1
        2
        """
    )


def test_constraints_come_from_the_declarations():
    check_parameters(Network())
    with pytest.raises(ValueError, match="'epochs' parameter of Network .*Got 0"):
        check_parameters(Network(epochs=0))


def test_unknown_argument_is_refused_by_name():
    with pytest.raises(
        TypeError, match=r"Network got .*'epoch'\. Did you mean 'epochs'"
    ):
        Network(epoch=3)
    with pytest.raises(TypeError, match=r"Network got .*'max_iter'\. Use epochs\."):
        Network(max_iter=3)
    with pytest.raises(TypeError, match="too many positional arguments"):
        Network(1, "a")


@pytest.mark.parametrize(
    ("name", "parameter_name"),
    [
        ("DenseClassifier", "epochs"),
        ("AutoencoderTransformer", "epochs"),
        ("SequenceReshaper", "n_timesteps"),
        ("SequenceAugmenter", "jitter"),
    ],
)
def test_constructor_of_the_user_is_kept(name, parameter_name):
    cls = getattr(skseq, name)

    def constructor(self, extra=1, value=2):
        cls.__init__(self, **{parameter_name: value})
        self.extra, self.value = extra, value

    own = type("Own", (cls,), {"__init__": constructor, "__doc__": "My own."})
    derived = type("Derived", (own,), {})
    mixin = type("Mixin", (), {"__init__": constructor})
    assert own.__doc__ == "My own."
    for each in (own, derived, type("Mixed", (mixin, cls), {})):
        estimator = each(3, value=4)
        assert estimator.get_params() == {"extra": 3, "value": 4}
        assert getattr(estimator, parameter_name) == 4
        assert clone(estimator).extra == 3
        assert clone(estimator.set_params(extra=5)).get_params()["extra"] == 5
        with pytest.raises(ValueError, match="Invalid parameter 'words'"):
            estimator.set_params(words=1)


def test_estimator_with_a_constructor_of_the_user_fits(sequences):
    class Wider(skseq.DenseClassifier):
        def __init__(self, factor=2, epochs=1):
            super().__init__(4 * factor, epochs=epochs)
            self.factor = factor

    net = clone(Wider(3)).set_params(epochs=2).fit(*sequences)
    assert len(net.history_["loss"]) == 2
    assert net.model_.layers[-2].units == 12


def test_object_of_an_earlier_version_has_the_default_of_a_new_parameter():
    net = Network.__new__(Network)
    vars(net).update(units=3, word="b")
    assert net.get_params() == {"units": 3, "word": "b", "epochs": 100}


@pytest.mark.parametrize("name", NAMES)
def test_help_and_tooltip_show_every_parameter_with_its_text(name, monkeypatch):
    cls = getattr(skseq, name)
    # scikit-learn shows tooltips where there is a page to link to.
    monkeypatch.setattr(cls, "_doc_link_module", "skseq")
    monkeypatch.setattr(cls, "_doc_link_template", "https://localhost/")
    docs = {p.name: p for p in ClassDoc(cls)["Parameters"]}
    assert list(docs) == list(inspect.signature(cls).parameters)
    page = estimator_html_repr(cls())
    for parameter_name, entry in docs.items():
        text = " ".join(entry.desc).strip()
        assert len(text) > 15, parameter_name
        assert text[0].isupper() or text[0] == "`", parameter_name
        assert text.endswith((".", ":", "`")), parameter_name
    # scikit-learn shows the parameters' texts from 1.8 on.
    tooltips = re.findall(
        r'<span class="param-doc-description".*?>(.*?)</span>', page, re.DOTALL
    )
    if tooltips:
        found = dict(tooltip.strip().split(": ", 1) for tooltip in tooltips)
        assert found.keys() == docs.keys()
        for parameter_name, tooltip in found.items():
            assert len(tooltip) > len(" ".join(docs[parameter_name].desc))


@pytest.mark.parametrize("name", NAMES)
def test_each_parameter_is_declared_in_one_class(name):
    cls = getattr(skseq, name)
    for parameter_name in inspect.signature(cls).parameters:
        declaring = [
            base
            for base in cls.__mro__
            if parameter_name in inspect.get_annotations(base)
            and issubclass(base, Declared)
        ]
        assert declaring, parameter_name
        texts = {
            base._parameters[parameter_name].text
            for base in declaring
            if parameter_name in base._parameters
        }
        assert len(texts) == 1, parameter_name


@pytest.mark.parametrize("function", list(public_methods()))
def test_public_method_is_annotated(function):
    signature = inspect.signature(function)
    assert signature.return_annotation is not signature.empty
    for parameter_name, one in signature.parameters.items():
        if parameter_name != "self":
            assert one.annotation is not one.empty, parameter_name


@pytest.mark.parametrize("name", NAMES)
def test_constructor_is_annotated(name):
    for one in inspect.signature(getattr(skseq, name)).parameters.values():
        assert one.annotation is not one.empty, one
