"""The seed paper's other image experiments, for whoever has the data and a GPU.

None of this data can be loaded by `skdann.datasets`; each experiment takes the folder
that its archives unpack to:

    images.py svhn FOLDER    synth_train_32x32.mat, train_32x32.mat, test_32x32.mat
    images.py signs FOLDER   synthetic_data/train_labelling.txt and the images it names;
                             Final_Training/Images/<class>/*.ppm with GT-<class>.csv
    images.py office FOLDER --source amazon --target webcam
                             <domain>/images/<class>/*.jpg; needs torchvision, which
                             downloads AlexNet's weights

Each trains the paper's network on the source alone, adapted, and on the target, and
prints accuracies on held-out target images beside the published ones;
`make images-svhn DATA=FOLDER` does the same.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from mnist_m import make_classifier
from PIL import Image
from record import to_markdown
from scipy.io import loadmat
from sklearn.model_selection import train_test_split

from skdann.nn import gtsrb_network, office_network, svhn_network

# source only, adapted, trained on the target
PUBLISHED = {
    "svhn": (0.8674, 0.9109, 0.9220),
    "signs": (0.7900, 0.8865, 0.9980),
    "amazon>webcam": (0.642, 0.730, None),
    "dslr>webcam": (0.961, 0.964, None),
    "webcam>dslr": (0.978, 0.992, None),
}


def load_svhn(folder, args):
    """Synthetic numbers to street-view house numbers: two training sets and a test."""
    names = ("synth_train_32x32.mat", "train_32x32.mat", "test_32x32.mat")
    return [rows for name in names for rows in _read_mat(folder / name)]


def _read_mat(path):
    arrays = loadmat(path)
    images = arrays["X"].transpose(3, 2, 0, 1)
    return images, arrays["y"].ravel() % 10  # SVHN writes 10 for the digit 0


def load_signs(folder, args):
    """Drawn traffic signs to photographed ones; 31,367 of the latter train."""
    listing = folder / "synthetic_data" / "train_labelling.txt"
    lines = [line.split() for line in listing.read_text().splitlines() if line]
    X = np.stack([_read_image(listing.parent / line[0], 40) for line in lines])
    y = np.array([int(line[1]) for line in lines])
    images, labels = [], []
    for table in sorted(folder.glob("Final_Training/Images/*/GT-*.csv")):
        with table.open() as file:
            for row in csv.DictReader(file, delimiter=";"):
                box = [int(row[f"Roi.{k}"]) for k in ("X1", "Y1", "X2", "Y2")]
                images.append(_read_image(table.parent / row["Filename"], 40, box))
                labels.append(int(row["ClassId"]))
    return [X, y, *_hold_out(np.stack(images), np.array(labels), test_size=0.2)]


def load_office(folder, args):
    """Two domains of Office-31: all images of the target adapt, and are predicted."""
    X, y = _read_classes(folder / args.source / "images")
    X_tgt, y_tgt = _read_classes(folder / args.target / "images")
    return [X, y, X_tgt, y_tgt, X_tgt, y_tgt]


def _read_classes(folder):
    classes = sorted(path.name for path in folder.iterdir() if path.is_dir())
    files = [
        (path, code)
        for code, name in enumerate(classes)
        for path in sorted((folder / name).glob("*.jpg"))
    ]
    images = np.stack([_read_image(path, 227) for path, _ in files])
    return images, np.array([code for _, code in files])


def _read_image(path, size, box=None):
    image = Image.open(path).convert("RGB").resize((size, size), box=box)
    return np.asarray(image).transpose(2, 0, 1)


def _hold_out(X, y, test_size):
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=test_size, stratify=y, random_state=0
    )
    return X, y, X_test, y_test


def make_office_network():
    from torchvision.models import alexnet

    backbone = alexnet(weights="DEFAULT")
    backbone.classifier = backbone.classifier[:-1]
    return office_network(backbone)


LOADERS = {"svhn": load_svhn, "signs": load_signs, "office": load_office}
NETWORKS = {"svhn": svhn_network, "signs": gtsrb_network, "office": make_office_network}
# what AlexNet was trained on
IMAGENET = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], dtype=np.float32)


def as_network_input(experiment, images, mean):
    """Return float32 images, less the source's mean, or as the backbone has them."""
    images = images.astype(np.float32) / 255
    if experiment != "office":
        return images - np.float32(mean)
    mean, deviation = IMAGENET[:, None, :, None, None]
    return (images - mean) / deviation


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiment", choices=list(LOADERS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--source", default="amazon", help="office: a domain")
    parser.add_argument("--target", default="webcam", help="office: a domain")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)

    rows = LOADERS[args.experiment](args.folder, args)
    mean = rows[0].mean() / 255
    X, X_tgt, X_test = (as_network_input(args.experiment, A, mean) for A in rows[::2])
    y, y_tgt, y_test = rows[1::2]
    scores = {}
    for name, lambda_max, data in (
        ("source only", 0, (X, y)),
        ("adapted", 1, (X, y, X_tgt)),
        ("on target", 0, (X_tgt, y_tgt)),
    ):
        if name == "on target" and args.experiment == "office":
            continue  # no target image is held out
        network = NETWORKS[args.experiment]()
        clf = make_classifier(network, lambda_max, args.epochs, args.seed)
        clf.fit(*data)
        scores[name] = clf.score(X_test, y_test)
    pair = f"{args.source}>{args.target}"
    key = pair if args.experiment == "office" else args.experiment
    published = PUBLISHED.get(key, (None,) * 3)
    table = [[n, s, p] for (n, s), p in zip(scores.items(), published, strict=False)]
    print(to_markdown({"columns": [key, "here", "published"], "rows": table}))


if __name__ == "__main__":
    main()
