"""The papers that the models follow, with BibTeX entries for model cards. This file does not import torch."""

from motes.plain.registry import Paper

DLP = Paper(
    "https://arxiv.org/abs/2205.15821",
    """@inproceedings{daniel2022dlp,
  title={Unsupervised Image Representation Learning with Deep Latent Particles},
  author={Daniel, Tal and Tamar, Aviv}, booktitle={ICML}, year={2022}}""",
)
DDLP = Paper(
    "https://arxiv.org/abs/2306.05957",
    """@article{daniel2024ddlp,
  title={{DDLP}: Unsupervised Object-Centric Video Prediction with Deep Dynamic Latent Particles},
  author={Daniel, Tal and Tamar, Aviv}, journal={Transactions on Machine Learning Research}, year={2024}}""",
)
IODINE = Paper(
    "https://arxiv.org/abs/1903.00450",
    """@inproceedings{greff2019iodine,
  title={Multi-Object Representation Learning with Iterative Variational Inference},
  author={Greff, Klaus and Kaufman, Rapha{\"e}l Lopez and Kabra, Rishabh and Watters, Nick and Burgess, Christopher
  and Zoran, Daniel and Matthey, Loic and Botvinick, Matthew and Lerchner, Alexander}, booktitle={ICML}, year={2019}}""",
)
KEYNET = Paper(
    "https://arxiv.org/abs/1806.07823",
    """@inproceedings{jakab2018keynet,
  title={Unsupervised Learning of Object Landmarks through Conditional Image Generation},
  author={Jakab, Tomas and Gupta, Ankush and Bilen, Hakan and Vedaldi, Andrea}, booktitle={NeurIPS}, year={2018}}""",
)
ZHANG = Paper(
    "https://arxiv.org/abs/1804.04412",
    """@inproceedings{zhang2018landmarks,
  title={Unsupervised Discovery of Object Landmarks as Structural Representations},
  author={Zhang, Yuting and Guo, Yijie and Jin, Yixin and Luo, Yijun and He, Zhiyuan and Lee, Honglak},
  booktitle={CVPR}, year={2018}}""",
)
SLOT_ATTENTION = Paper(
    "https://arxiv.org/abs/2006.15055",
    """@inproceedings{locatello2020slots,
  title={Object-Centric Learning with Slot Attention},
  author={Locatello, Francesco and Weissenborn, Dirk and Unterthiner, Thomas and Mahendran, Aravindh and
          Heigold, Georg and Uszkoreit, Jakob and Dosovitskiy, Alexey and Kipf, Thomas},
  booktitle={NeurIPS}, year={2020}}""",
)
EIGENFACES = Paper(
    "https://doi.org/10.1162/jocn.1991.3.1.71",
    """@article{turk1991eigenfaces,
  title={Eigenfaces for Recognition},
  author={Turk, Matthew and Pentland, Alex}, journal={Journal of Cognitive Neuroscience},
  volume={3}, number={1}, pages={71--86}, year={1991}}""",
)
BACKPROPAGATION = Paper(
    "https://doi.org/10.1038/323533a0",
    """@article{rumelhart1986backpropagation,
  title={Learning Representations by Back-Propagating Errors},
  author={Rumelhart, David E. and Hinton, Geoffrey E. and Williams, Ronald J.}, journal={Nature},
  volume={323}, pages={533--536}, year={1986}}""",
)
STACKED_DENOISING = Paper(
    "https://jmlr.org/papers/v11/vincent10a.html",
    """@article{vincent2010denoising,
  title={Stacked Denoising Autoencoders: Learning Useful Representations in a Deep Network with a Local
         Denoising Criterion},
  author={Vincent, Pascal and Larochelle, Hugo and Lajoie, Isabelle and Bengio, Yoshua and
          Manzagol, Pierre-Antoine},
  journal={Journal of Machine Learning Research}, volume={11}, pages={3371--3408}, year={2010}}""",
)
VAE = Paper(
    "https://arxiv.org/abs/1312.6114",
    """@inproceedings{kingma2014vae,
  title={Auto-Encoding Variational {Bayes}},
  author={Kingma, Diederik P. and Welling, Max}, booktitle={ICLR}, year={2014}}""",
)
GLO = Paper(
    "https://arxiv.org/abs/1707.05776",
    """@inproceedings{bojanowski2018glo,
  title={Optimizing the Latent Space of Generative Networks},
  author={Bojanowski, Piotr and Joulin, Armand and Lopez-Paz, David and Szlam, Arthur}, booktitle={ICML}, year={2018}}""",
)
GLANN = Paper(
    "https://arxiv.org/abs/1812.08985",
    """@inproceedings{hoshen2019glann,
  title={Non-Adversarial Image Synthesis with Generative Latent Nearest Neighbors},
  author={Hoshen, Yedid and Li, Ke and Malik, Jitendra}, booktitle={CVPR}, year={2019}}""",
)
CHAIRS = Paper(
    "https://arxiv.org/abs/1411.5928",
    """@inproceedings{dosovitskiy2015chairs,
  title={Learning to Generate Chairs with Convolutional Neural Networks},
  author={Dosovitskiy, Alexey and Springenberg, Jost Tobias and Brox, Thomas}, booktitle={CVPR}, year={2015}}""",
)
DCIGN = Paper(
    "https://arxiv.org/abs/1503.03167",
    """@inproceedings{kulkarni2015dcign,
  title={Deep Convolutional Inverse Graphics Network},
  author={Kulkarni, Tejas D. and Whitney, William F. and Kohli, Pushmeet and Tenenbaum, Joshua B.},
  booktitle={NeurIPS}, year={2015}}""",
)
FEEDBACK_LOOP = Paper(
    "https://arxiv.org/abs/1609.09698",
    """@inproceedings{oberweger2015feedback,
  title={Training a Feedback Loop for Hand Pose Estimation},
  author={Oberweger, Markus and Wohlhart, Paul and Lepetit, Vincent}, booktitle={ICCV}, year={2015}}""",
)
CASCADED_REFINEMENT = Paper(
    "https://arxiv.org/abs/1707.09405",
    """@inproceedings{chen2017cascaded,
  title={Photographic Image Synthesis with Cascaded Refinement Networks},
  author={Chen, Qifeng and Koltun, Vladlen}, booktitle={ICCV}, year={2017}}""",
)
