"""Keras on TensorFlow: the only place that names either of them.

Importing this package loads neither; its modules do. Each module holds one idea, and
imports flow from the top of this list to its end:

- ``forks``: whether TensorFlow can run in this process;
- ``keras``: the import, and Keras' settings while something is built;
- ``private``: the parts of Keras that have no public name;
- ``fingerprints``: values that tell whether two graphs would be equal;
- ``optimizers``, ``losses``, ``metrics``, ``activations``: names to objects;
- ``networks``: a class for each family, which builds a Keras model;
- ``layers``: layers with the results of Keras' own that are faster on the CPU;
- ``facts``: what can be read from a model's layers;
- ``recipe``: what a program is built from, and what it is given;
- ``objectives``: what a program computes of a batch;
- ``weights``: how weights lie in the variables that are trained, and first values;
- ``path``: fused kernel, plain graph or XLA; rows in a batch of predictions;
- ``program``: a traced network that trains, predicts and evaluates;
- ``cache``: programs that are kept for later fits;
- ``order``: the order of rows in an epoch;
- ``progress``: what ``verbose`` shows;
- ``callbacks``: the user's Keras callbacks;
- ``train``: the loop over epochs, and what estimators call.
"""
