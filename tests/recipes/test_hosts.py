"""Two machines: network namespaces of this one, with a cable between them.

`make test-recipes` runs it where it may make them: as root, on Linux.
"""

import os
import re
import shutil
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from children import FOREVER, environment
from helpers import SMALL, make_domains
from ranks import PAGE, PROGRAM

from skdann import DANNClassifier, load
from skdann.datasets import make_shifted_moons

pytest.importorskip("accelerate")  # only there: these take half a minute
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("ip"),
    reason="needs to make network namespaces",
)

[COMMAND] = re.findall(r"`(torchrun --nnodes 2 .*?)`", PAGE)
HOSTS = {"first-machine": "10.77.0.1", "second-machine": "10.77.0.2"}


@pytest.fixture
def few_trees():
    """Not here: what is launched has all of them."""


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def hosts(tmp_path):
    """Two hosts that know one another by name; return a function that runs there."""
    names = tmp_path / "hosts"
    lines = [f"{address} {name}" for name, address in HOSTS.items()]
    names.write_text("\n".join(["127.0.0.1 localhost", *lines, ""]))
    here = f"-{os.getpid()}"
    ends = [f"skdann{i}{here}"[:15] for i in range(2)]
    ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
    try:
        for end, (name, address) in zip(ends, HOSTS.items(), strict=True):
            namespace = name + here
            ip("netns", "add", namespace)
            ip("link", "set", end, "netns", namespace, "name", "eth0")
            ip("-n", namespace, "addr", "add", f"{address}/24", "dev", "eth0")
            ip("-n", namespace, "link", "set", "eth0", "up")
            ip("-n", namespace, "link", "set", "lo", "up")
            (tmp_path / name).mkdir()

        def start(name, *command):
            inside = f'mount --bind "{names}" /etc/hosts; hostname {name}; exec "$@"'
            enter = ["ip", "netns", "exec", name + here, "unshare", "--uts", "--mount"]
            return subprocess.Popen(
                [*enter, "sh", "-ec", inside, "sh", sys.executable, *command],
                cwd=tmp_path / name,
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )

        start.pull_the_cable = lambda: ip(
            "-n", f"second-machine{here}", "link", "set", "eth0", "down"
        )
        yield start
    finally:
        for name in HOSTS:
            subprocess.run(["ip", "netns", "del", name + here], check=False)


def on_both(start, *command):
    """Run a command on both hosts; return what they print."""
    running = [start(name, *command) for name in HOSTS]
    said = [process.communicate(timeout=FOREVER)[0] for process in running]
    for process, text in zip(running, said, strict=True):
        assert process.returncode == 0, text
    return said


def test_the_command_of_the_guide_trains_what_one_process_trains(hosts, tmp_path):
    for name in HOSTS:
        (tmp_path / name / "train.py").write_text(PROGRAM)
    launch = COMMAND.replace("torchrun", "-m torch.distributed.run")
    launch = launch.replace("--nproc-per-node 4", "--nproc-per-node 2")
    on_both(hosts, *launch.split())
    X, y, X_tgt, _ = make_shifted_moons(random_state=0)
    expected = DANNClassifier(random_state=0).fit(X, y, X_tgt).predict_proba(X_tgt)
    found = load(tmp_path / "first-machine" / "model.skdann").predict_proba(X_tgt)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)
    assert not (tmp_path / "second-machine" / "model.skdann").exists()


ONE_RANK = """
import os, socket, sys, time
from datetime import timedelta
import numpy as np, torch.distributed
from helpers import SMALL, make_domains
from ranks import PAGE, PROGRAM
from skdann import DANNClassifier
from skdann.distributed import gather_rows

os.environ |= {"MASTER_ADDR": "first-machine", "MASTER_PORT": "29500"}
rank = ["first-machine", "second-machine"].index(socket.gethostname())
torch.distributed.init_process_group(
    "gloo", rank=rank, world_size=2, timeout=timedelta(seconds=20)
)
X, y, X_tgt, _ = make_domains(60, 40)
"""


def test_rows_of_both_come_to_the_disk_of_each(hosts, tmp_path):
    program = ONE_RANK + textwrap.dedent("""
        own = slice(30 * rank, 30 * rank + 30)
        os.mkdir("rows")
        X, y, X_tgt = gather_rows(
            X[own], y[own], X_tgt[own] if rank == 0 else X_tgt[30:], folder="rows"
        )
        assert str(X.filename).startswith(os.path.abspath("rows"))
        clf = DANNClassifier(**SMALL).fit(X, y, X_tgt)
        np.save("P.npy", clf.predict_proba(X_tgt))
    """)
    on_both(hosts, "-c", program)
    X, y, X_tgt, _ = make_domains(60, 40)
    expected = DANNClassifier(**SMALL).fit(X, y, X_tgt).predict_proba(X_tgt)
    for name in HOSTS:
        P = np.load(tmp_path / name / "P.npy")
        np.testing.assert_allclose(P, expected, rtol=0, atol=1e-10)


def test_a_pulled_cable_is_an_error_on_both(hosts, tmp_path):
    program = ONE_RANK + textwrap.dedent("""
        from skorch.callbacks import Callback

        class Tells(Callback):
            def on_epoch_end(self, net, **kwargs):
                open("begun", "w").close()

        given = {**SMALL, "max_epochs": 100_000, "callbacks": [Tells]}
        try:
            DANNClassifier(**given).fit(X, y, X_tgt)
        except ConnectionError as error:
            print(error, flush=True)
            os._exit(0)
    """)
    running = [hosts(name, "-c", program) for name in HOSTS]
    begun = [tmp_path / name / "begun" for name in HOSTS]
    while not all(path.exists() for path in begun):
        assert all(process.poll() is None for process in running)
    hosts.pull_the_cable()
    for process in running:
        said, _ = process.communicate(timeout=FOREVER)
        assert process.returncode == 0, said
        assert "has lost another one" in said
