"""
Generating text one character after another
===========================================

A network learns the probabilities of the next character from the characters before it.
Characters are drawn from these probabilities, and become the input of the next draw (A.
Karpathy, *The unreasonable effectiveness of recurrent neural networks*, 2015). A
*temperature* sharpens or flattens the probabilities. The figure shows what the network
expects at each place of a line.
"""

# %%
# The text
# --------
# Nursery rhymes from *The Real Mother Goose* (1916) and older collections, which are
# out of copyright.
TEXT = """\
Twinkle, twinkle, little star,
How I wonder what you are!
Up above the world so high,
Like a diamond in the sky.

Mary had a little lamb,
Its fleece was white as snow;
And everywhere that Mary went
The lamb was sure to go.
It followed her to school one day,
Which was against the rule;
It made the children laugh and play
To see a lamb at school.

Jack and Jill went up the hill
To fetch a pail of water;
Jack fell down and broke his crown,
And Jill came tumbling after.

Humpty Dumpty sat on a wall,
Humpty Dumpty had a great fall;
All the king's horses and all the king's men
Could not put Humpty together again.

Little Miss Muffet
Sat on a tuffet,
Eating of curds and whey;
There came a big spider
And sat down beside her,
And frightened Miss Muffet away.

Hey diddle diddle,
The cat and the fiddle,
The cow jumped over the moon;
The little dog laughed
To see such sport,
And the dish ran away with the spoon.

Baa, baa, black sheep,
Have you any wool?
Yes, sir, yes, sir,
Three bags full;
One for the master,
And one for the dame,
And one for the little boy
Who lives down the lane.

Sing a song of sixpence,
A pocket full of rye;
Four and twenty blackbirds
Baked in a pie.
When the pie was opened,
The birds began to sing;
Was not that a dainty dish
To set before the king?
"""
print(f"{len(TEXT)} characters, {len(set(TEXT.lower()))} different ones")

# %%
# Windows of ids
# --------------
# ``TextSequencer`` gives each character an id; the whole text is one row. Each window
# of 12 ids is followed by the character that the network has to predict. The windows
# are a view of the row.
import numpy as np

from skseq import LSTMClassifier, TextSequencer

LENGTH = 12
sequencer = TextSequencer(analyzer="char").fit([TEXT])
ids = sequencer.transform([TEXT])[0]
windows = np.lib.stride_tricks.sliding_window_view(ids, LENGTH + 1)
X, y = windows[:, :-1], windows[:, -1]
print(
    sequencer.inverse_transform(X[:2]), "->", sequencer.inverse_transform(y[:2, None])
)

# %%
# The classes are the ids of characters. The last rhyme is left out of training, to
# measure how well the network knows the next character of a new text. Few characters
# are enough to learn spelling by heart, and not to learn English.
n_train = TEXT.index("Sing a song") - LENGTH
net = LSTMClassifier(
    96, pooling="last", embedding_dim=16, dropout=0.1, epochs=40, random_state=0
)
net.fit(X[:n_train], y[:n_train])
chars = np.array([sequencer.inverse_transform([[i]])[0][0] for i in net.classes_])

# %%
# Perplexity
# ----------
# The perplexity is the exponential of the mean negative logarithm of the probability of
# the right character: a network that guesses among k characters has a perplexity of k.
# With temperature t, the logarithms of the probabilities are divided by t.
import pandas as pd


def tempered(probabilities, temperature):
    """Sharpen (below 1) or flatten (above 1) probabilities."""
    logits = np.log(probabilities) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def perplexity(probabilities, y):
    """Compute the perplexity of rows whose class was seen in training."""
    known = np.isin(y, net.classes_)
    place = np.searchsorted(net.classes_, y[known])
    return np.exp(-np.log(probabilities[known][np.arange(len(place)), place]).mean())


table = pd.DataFrame(
    {
        name: {
            t: perplexity(tempered(net.predict_proba(X[rows]), t), y[rows])
            for t in (0.5, 1.0, 1.5, 2.0, 3.0)
        }
        for name, rows in {
            "training": slice(n_train),
            "new rhyme": slice(n_train, None),
        }.items()
    }
).rename_axis("temperature")
print(table.round(2))

# %%
# On the text that it knows by heart, the network is right to be sure. On a new rhyme it
# is far too sure: a high temperature gives the better probabilities there.
#
# Samples
# -------
# All samples are drawn at once, a row each, and start with the same words. At a low
# temperature, the network recites. At a high one, it makes up words.


def generate(start, n, temperature, n_samples=1, seed=0):
    """Continue a text by n characters, several times."""
    rng = np.random.default_rng(seed)
    texts = [start.lower()] * n_samples
    for _ in range(n):
        rows = sequencer.transform([text[-LENGTH:] for text in texts])[:, :LENGTH]
        probabilities = tempered(net.predict_proba(rows), temperature)
        drawn = [rng.choice(chars, p=row) for row in probabilities]
        texts = [text + char for text, char in zip(texts, drawn, strict=True)]
    return texts


for temperature in (0.3, 1.0, 2.0):
    print(f"temperature {temperature}:")
    for text in generate("The little ", 60, temperature, n_samples=3):
        print("   ", text.replace("\n", " / "))

# %%
# What the network expects
# ------------------------
# Each column has the probabilities of the next character after the characters to its
# left. Rows are the characters that are probable somewhere. The dots are the characters
# of the text.
import matplotlib.pyplot as plt

line = "and the little dog sat on the wall"
rows = sequencer.transform([line[:i][-LENGTH:] for i in range(3, len(line))])
found = net.predict_proba(rows[:, :LENGTH])
shown = np.flatnonzero(found.max(axis=0) > 0.15)
shown = np.union1d(shown, np.flatnonzero(np.isin(chars, list(line[3:]))))
shown = shown[np.argsort(chars[shown])]

fig, ax = plt.subplots(figsize=(9, 5), layout="constrained")
image = ax.imshow(found[:, shown].T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
for step, char in enumerate(line[3:]):
    ax.plot(step, chars[shown].tolist().index(char), "o", color="tab:orange", ms=4)
ax.set_xticks(range(len(line) - 3), [c.replace(" ", "␣") for c in line[3:]])
ax.set_yticks(
    range(len(shown)),
    [{" ": "␣", "\n": "end of line"}.get(c, c) for c in chars[shown]],
)
ax.set(xlabel="the character that comes", ylabel="the character that is expected")
fig.colorbar(image, label="probability")
plt.show()
