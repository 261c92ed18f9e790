"""The only room that computes; its libraries are kept offline."""

import os

# Before the libraries that read it are imported: models are files of this machine, and no library asks a network.
os.environ["HF_HUB_OFFLINE"] = "1"
