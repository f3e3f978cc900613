"""The model card: what a model on the hub is, how to use it, how it was trained, what was measured, whom to cite."""

from dataclasses import asdict

from motes.models.base import Model
from motes.version import VERSION

PARTICLES = """@inproceedings{daniel2022dlp,
  title={Unsupervised Image Representation Learning with Deep Latent Particles},
  author={Daniel, Tal and Tamar, Aviv}, booktitle={ICML}, year={2022}}"""
CITATIONS = {
    "dlp": PARTICLES,
    "dlp-masked": PARTICLES,
    "vae": """@inproceedings{kingma2014vae,
  title={Auto-Encoding Variational {Bayes}},
  author={Kingma, Diederik P. and Welling, Max}, booktitle={ICLR}, year={2014}}""",
    "glo": """@inproceedings{bojanowski2018glo,
  title={Optimizing the Latent Space of Generative Networks},
  author={Bojanowski, Piotr and Joulin, Armand and Lopez-Paz, David and Szlam, Arthur}, booktitle={ICML}, year={2018}}""",
    "glann": """@inproceedings{hoshen2019glann,
  title={Non-Adversarial Image Synthesis with Generative Latent Nearest Neighbors},
  author={Hoshen, Yedid and Li, Ke and Malik, Jitendra}, booktitle={CVPR}, year={2019}}""",
}


def card(model: Model, name: str, repository: str, scores: dict[str, float], command: str = "") -> str:
    """Markdown; `command` is the line that trained the model, where it is known."""
    rows = "\n".join(f"| {key} | {value:.4g} |" for key, value in scores.items()) or "| not measured | |"
    settings = "\n".join(f"| {key} | `{value}` |" for key, value in asdict(model.config).items())
    summary = (type(model).__doc__ or "").strip().splitlines()[0]
    citation = f"\n```bibtex\n{CITATIONS[name]}\n```\n" if name in CITATIONS else ""
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
