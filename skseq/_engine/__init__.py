"""Training with Keras on TensorFlow; the only place that names either of them.

Importing this package loads neither; its modules do. Each module has one purpose, and
imports only modules that are above it in this list:

- ``forks``: the check that TensorFlow can run in this process;
- ``keras``: the import, and Keras' settings while a model is built;
- ``types``: the types of parameters, for annotations;
- ``private``: the parts of Keras that have no public name;
- ``records``: plain values and arrays as bytes with a checksum;
- ``order``: the order of rows in an epoch;
- ``rates``: the learning rate over the steps of a fit, and the number of steps;
- ``progress``: the progress that ``verbose`` shows;
- ``skeletons``: models whose variables have no values;
- ``fingerprints``: keys of Keras objects and of the user's code, for the cache;
- ``names``, ``optimizers``, ``losses``, ``metrics``, ``activations``: from names to
  Keras objects;
- ``stored``: pickles and copies of Keras objects;
- ``masks``: masks of padded sequences while a model is built, and windows over time;
- ``parts``: groups of layers of which networks are built;
- ``tables``: the first layers over the columns of a table;
- ``layer_params``: arguments of layers from the user;
- ``networks``: a class for each family, which builds a Keras model;
- ``layers``: layers with the results of Keras' own that are faster on the CPU;
- ``facts``: properties of a model, read from its layers;
- ``models``: a user's own model as a network;
- ``path``: the choice between fused kernel, plain graph and XLA;
- ``weights``: the layout of the trained variables, and initial weights;
- ``recipe``: what a program is built from, and what it is given;
- ``checkpoint``: the file with the state of a fit;
- ``objectives``: the loss of a batch, for classifiers and autoencoders;
- ``standalone``: Keras models for users and callbacks;
- ``update``: the step of the optimizer;
- ``program``: a traced network that trains, predicts and evaluates;
- ``cache``: the cache of programs;
- ``reports``: a callback that reports the logs of each epoch;
- ``callbacks``: the user's Keras callbacks;
- ``apart``: training of several networks with XLA;
- ``train``: the loop over epochs, and the functions that estimators call;
- ``gradients``: integrals of gradients along a path to rows;
- ``layer_outputs``: weights and outputs of single layers.
"""
