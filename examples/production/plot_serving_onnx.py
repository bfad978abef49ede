"""
Serving a pipeline without TensorFlow
=====================================

Save a pipeline of scaling, reshaping and a recurrent network as one ONNX file, and
serve its predictions over HTTP. The server uses Python's standard library, NumPy and
onnxruntime, and needs neither TensorFlow nor scikit-learn.
"""

# %%
# The pipeline
# ------------
# The sample of credit card clients that is part of skseq: six months of bills and
# payments.
import tempfile
from pathlib import Path

from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skseq import GRUClassifier, SequenceReshaper
from skseq.datasets import load_credit_default
from skseq.onnx import to_onnx

X, y = load_credit_default(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)
columns = {
    "PAY": [f"PAY_{month}" for month in (6, 5, 4, 3, 2, 0)],
    "BILL_AMT": [f"BILL_AMT{month}" for month in range(6, 0, -1)],
    "PAY_AMT": [f"PAY_AMT{month}" for month in range(6, 0, -1)],
}
positions = {
    feature: [X.columns.get_loc(name) for name in names]
    for feature, names in columns.items()
}
pipeline = make_pipeline(
    StandardScaler(),
    SequenceReshaper(columns=positions),
    GRUClassifier(16, epochs=5, random_state=0),
).fit(X_train, y_train)
folder = Path(tempfile.mkdtemp())
_ = to_onnx(pipeline, folder / "default.onnx")

# %%
# The server
# ----------
# It imports nothing of TensorFlow or scikit-learn, so that its environment can consist
# of ``pip install onnxruntime numpy`` and ``pip install --no-deps skseq``. It prints
# its port, the seconds until it was ready, and which of the large packages are loaded.
SERVER = """
import time
start = time.perf_counter()
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from skseq.onnx import load

MODEL = load(sys.argv[1], n_threads=1)

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            answer, status = MODEL.predict_proba(json.loads(body)).tolist(), 200
        except ValueError as error:
            answer, status = {"error": str(error)}, 422
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
ready = time.perf_counter() - start
loaded = sorted({"keras", "sklearn", "tensorflow"} & set(sys.modules))
print(json.dumps([server.server_port, ready, loaded]), flush=True)
server.serve_forever()
"""

import http.client
import json
import subprocess
import sys
import time

import numpy as np

process = subprocess.Popen(
    [sys.executable, "-c", SERVER, folder / "default.onnx"], stdout=subprocess.PIPE
)
port, ready, loaded = json.loads(process.stdout.readline())
print(f"ready after {ready:.2f} s; loaded of keras, sklearn, tensorflow: {loaded}")


# %%
# Requests
# --------
# Each client is one request. The answers are those of the pipeline.
def ask(connection, rows):
    connection.request("POST", "/", json.dumps(rows))
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


try:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    times, answers = [], []
    for row in X_test.to_numpy(float)[:300].tolist():
        start = time.perf_counter()
        answers.append(ask(connection, [row])[1][0])
        times.append(1000 * (time.perf_counter() - start))
    refused = ask(connection, [row[:5]])
finally:
    process.terminate()
    process.wait()
expected = pipeline.predict_proba(X_test[:300])
print(f"largest difference: {abs(np.array(answers) - expected).max():.1e}")
print(f"a row with 5 columns: {refused}")

# %%
# Time of a prediction
# --------------------
# A request with one row is compared with a call of ``predict_proba`` of the pipeline,
# also with one row and without a server. The lines have 90 % of the times.
import matplotlib.pyplot as plt

ours = []
for i in range(100):
    row = X_test[i : i + 1]
    start = time.perf_counter()
    pipeline.predict_proba(row)
    ours.append(1000 * (time.perf_counter() - start))
elapsed = {
    "request to the\nserver, with\nthe ONNX file": times,
    "predict_proba\nof the pipeline": ours,
}
fig, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for place, values in enumerate(elapsed.values()):
    low, median, high = np.quantile(values, [0.05, 0.5, 0.95])
    color = ("tab:blue", "tab:grey")[place]
    ax.hlines(place, low, high, color=color, lw=5)
    ax.plot(median, place, "o", color=color, markersize=14)
    ax.text(high, place, f"   median {median:.1f} ms", va="center", fontsize=12)
ax.set_yticks([0, 1], list(elapsed), fontsize=12)
ax.set(
    ylim=(1.6, -0.6),
    xlabel="milliseconds for a row",
    title=f"The server answers a request in {np.median(times):.1f} ms",
)
ax.set_xlim(0, 1.5 * max(np.quantile(values, 0.95) for values in elapsed.values()))
plt.show()
