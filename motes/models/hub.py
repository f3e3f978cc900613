"""Models pushed to the Hugging Face hub, and the model card.

The card says what the model is, how to use it, how it was trained, what was measured, and whom to cite.
"""

from dataclasses import asdict
from pathlib import Path

from motes.errors import UserError
from motes.models import MODELS
from motes.models.base import Model
from motes.models.checkpoint import name_of, write_model
from motes.plain.registry import Paper
from motes.version import VERSION
from motes.weights.runs import hub


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
model = motes.load("{repository}")
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


def push(model: Model, repository: str, scores: dict[str, float] | None = None, command: str = "") -> str:
    """Upload weights, config and a model card; returns the address of the repository."""
    import tempfile

    client = hub()
    with tempfile.TemporaryDirectory() as folder:
        write_model(model, Path(folder))
        readme = card(model, name_of(model), repository, scores or {}, command)
        (Path(folder) / "README.md").write_text(readme)
        try:
            api = client.HfApi()
            api.create_repo(repository, exist_ok=True)
            return str(api.upload_folder(repo_id=repository, folder_path=folder))
        except Exception as problem:
            raise UserError(
                f"{repository} could not be pushed to the hub ({type(problem).__name__}); "
                "is there a network, and did you log in with `hf auth login`?"
            ) from None


def _citation(paper: Paper) -> str:
    return f"\n{paper.link}\n\n```bibtex\n{paper.bibtex}\n```\n"
