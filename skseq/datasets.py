"""Example data that is part of the package."""

from importlib.resources import files

from sklearn.utils import Bunch

__all__ = ["load_credit_default"]

_CREDIT_TARGET = "default_payment_next_month"


def load_credit_default(*, return_X_y=False):
    """Load a sample of the credit card clients of Taiwan (classification).

    A stratified sample of 2,000 of the 30,000 clients in the UCI data set 350, over six
    months, April to September 2005. The table contains sequences: ``PAY_*``,
    ``BILL_AMT*`` and ``PAY_AMT*`` have one column for each month. The months are
    numbered backwards: ``PAY_0``, ``BILL_AMT1`` and ``PAY_AMT1`` are the newest month,
    and the columns with the number 6 are the oldest. There is no ``PAY_1``.

    =================  ============
    Classes                       2
    Rows of class 0           1,558
    Rows of class 1             442
    Columns                      23
    =================  ============

    Parameters
    ----------
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    data : sklearn.utils.Bunch
        A dict whose keys are also attributes:

        data : pandas.DataFrame of shape (2000, 23)
            The columns.
        target : pandas.Series of shape (2000,)
            1 if the client did not pay in the following month, else 0.
        frame : pandas.DataFrame of shape (2000, 24)
            `data` and `target` together.
        feature_names : list of str
            Names of the columns.
        DESCR : str
            Description of the data, with source and licence.
        filename : str
            Name of the file inside the package.
    (data, target) : tuple if ``return_X_y`` is True
        The dataframe and the series described above.

    Raises
    ------
    ImportError
        If pandas is not installed.

    References
    ----------
    .. [1] I-C. Yeh and C. Lien, "The comparisons of data mining techniques for the
       predictive accuracy of probability of default of credit card clients", Expert
       Systems with Applications 36(2), 2009.
       https://doi.org/10.24432/C55S3H

    Examples
    --------
    >>> from skseq.datasets import load_credit_default
    >>> X, y = load_credit_default(return_X_y=True)
    >>> X[["PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"]].shape
    (2000, 6)
    >>> int(y.sum())
    442
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "load_credit_default needs pandas: pip install pandas"
        ) from error
    folder = files("skseq") / "data"
    filename = "credit_default_sample.csv.gz"
    with (folder / filename).open("rb") as file:
        frame = pd.read_csv(file, compression="gzip")
    data, target = frame.drop(columns=_CREDIT_TARGET), frame[_CREDIT_TARGET]
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        frame=frame,
        feature_names=list(data.columns),
        DESCR=(folder / "README.md").read_text(encoding="utf-8"),
        filename=filename,
    )
