"""Places with packages that the settings name beside pip's own: used where they answer, else left out."""

from __future__ import annotations

import threading
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname


def is_reachable(index: str, reach_s: float) -> bool:
    """Whether an index answers within ``reach_s``; looking up its name counts, too."""
    if index.startswith("file:"):
        return Path(url2pathname(urlsplit(index).path)).is_dir()
    answers: list[bool] = []
    asker = threading.Thread(target=lambda: answers.append(_answers(index, reach_s)), daemon=True)
    asker.start()
    asker.join(reach_s)
    return bool(answers) and answers[0]


def _answers(index: str, reach_s: float) -> bool:
    import requests

    try:
        with requests.get(f"{index.rstrip('/')}/torch/", timeout=reach_s, stream=True) as answer:
            return answer.ok
    except requests.RequestException:
        return False
