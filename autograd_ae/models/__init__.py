"""The autoencoder family, as estimators in scikit-learn's manner."""

from autograd_ae.models.autoencoder import Autoencoder
from autograd_ae.models.deep import DeepPCA
from autograd_ae.models.denoising import DenoisingAE
from autograd_ae.models.linear import LinearPCA
from autograd_ae.models.pca import PCA
from autograd_ae.models.saving import ModelFileError, load
from autograd_ae.models.sparse import SparseAE
from autograd_ae.models.training import ConvergenceWarning
from autograd_ae.models.vae import VAE
from autograd_ae.models.validation import DataRangeWarning, NotFittedError

__all__ = [
    "PCA",
    "VAE",
    "Autoencoder",
    "ConvergenceWarning",
    "DataRangeWarning",
    "DeepPCA",
    "DenoisingAE",
    "LinearPCA",
    "ModelFileError",
    "NotFittedError",
    "SparseAE",
    "load",
]
