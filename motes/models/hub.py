"""Models on the Hugging Face hub: downloads, uploads, and the model card.

The card says what the model is, how to use it, how it was trained, what was measured, and whom to cite.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from motes.errors import UserError
from motes.models import MODELS
from motes.models.base import Model
from motes.models.checkpoint import load, name_of, write_model
from motes.plain.packages import optional
from motes.plain.registry import Paper
from motes.version import VERSION


def card(model: Model, name: str, repository: str, scores: dict[str, float], command: str = "") -> str:
    """The model card as Markdown; `command` is the line that trained the model, or empty."""
    rows = "\n".join(f"| {key} | {value:.4g} |" for key, value in scores.items()) or "| not measured | |"
    settings = "\n".join(f"| {key} | `{value}` |" for key, value in asdict(model.config).items())
    summary = (type(model).__doc__ or "").strip().splitlines()[0]
    paper = MODELS.row(name).paper
    citation = _citation(paper) if paper else ""
    trained = f" with `{command}`" if command else ""
    return f"""---
library_name: motes
license: apache-2.0
tags: [motes, {name}, unsupervised, object-centric]
---
# {repository}

{summary}

```python
import motes
model = motes.load_pretrained("{repository}")
latent = model.encode(pictures)  # float32, B C H W in [0, 1]
drawn = model.decode(latent)
```

| score | value |
|---|---|
{rows}

| setting | value |
|---|---|
{settings}

Trained{trained} by motes {VERSION}.
{citation}"""


def load_pretrained(where: str | Path) -> Model:
    """The model in a folder on disk, or in a repository of the Hugging Face hub."""
    if Path(where).exists():
        return load(where)
    return load(_download(str(where)))


def _download(repository: str) -> str:
    """Download the files of a repository; returns the folder that holds them."""
    hub = _hub()
    try:
        return hub.snapshot_download(repository, allow_patterns=["config.json", "model.safetensors"])
    except Exception as problem:
        raise UserError(
            f"{repository} is no folder here, and config.json and model.safetensors of a repository of that name "
            f"could not be fetched from {hub.constants.ENDPOINT} ({type(problem).__name__}); "
            "check the name and the network, or name a folder"
        ) from None


def push(model: Model, repository: str, scores: dict[str, float] | None = None, command: str = "") -> str:
    """Upload weights, config and a model card; returns the address of the repository."""
    import tempfile

    hub = _hub()
    with tempfile.TemporaryDirectory() as folder:
        write_model(model, Path(folder))
        readme = card(model, name_of(model), repository, scores or {}, command)
        (Path(folder) / "README.md").write_text(readme)
        try:
            api = hub.HfApi()
            api.create_repo(repository, exist_ok=True)
            return str(api.upload_folder(repo_id=repository, folder_path=folder))
        except Exception as problem:
            raise UserError(
                f"{repository} could not be pushed to the hub ({type(problem).__name__}); "
                "is there a network, and did you log in with `hf auth login`?"
            ) from None


def _hub() -> Any:
    return optional("huggingface_hub", "hf", "the hub needs huggingface_hub")


def _citation(paper: Paper) -> str:
    return f"\n{paper.link}\n\n```bibtex\n{paper.bibtex}\n```\n"
