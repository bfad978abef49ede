"""Models whose variables have no values.

Such a model can only be called by ``stateless_call``. It takes no memory for weights,
nor the memory that TensorFlow never frees for each new shape of a variable.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

from skseq._engine.keras import BUILDERS, keras
from skseq._engine.private import values_as_initializers


def without_values(build):
    """Call ``build()`` such that the variables of its models get no values."""
    return without_values_but_assigned(build)[0]


def without_values_but_assigned(build):
    """Call ``build()`` as `without_values` does.

    Returns
    -------
    result : object
    scope : keras.StatelessScope
        It has the values that ``build`` has assigned to variables.
    """

    def run():
        BUILDERS.add(threading.get_ident())
        try:
            with keras.StatelessScope(initialize_variables=False) as scope:
                return build(), scope
        finally:
            BUILDERS.discard(threading.get_ident())

    # Keras gives values to such variables at the end of the thread's next stateless
    # scope. This new thread has no next one. In it, Keras numbers the names of layers
    # from the start.
    with values_as_initializers(), ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()
