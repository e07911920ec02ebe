"""Control in a learned world: CartPole or a game as frames, a memory of codes, and linear controllers that evolve.

V is a VAE of frames, M predicts the next code from those before (`nets.MixtureDensityLSTM`), C acts on what both say.

Reference: Ha & Schmidhuber 2018, World models, https://arxiv.org/abs/1803.10122.
"""

from jaxvae.control.dream import Dream as Dream
from jaxvae.control.environments import CartPole as CartPole
from jaxvae.control.environments import Environment as Environment
from jaxvae.control.memory import Windows as Windows
from jaxvae.control.memory import fit_memory as fit_memory
from jaxvae.control.memory import init_memory as init_memory
from jaxvae.control.memory import memory_loss as memory_loss
from jaxvae.control.memory import windows as windows
from jaxvae.control.minatar import GAMES as GAMES
from jaxvae.control.minatar import MinAtar as MinAtar
from jaxvae.control.rollouts import Episodes as Episodes
from jaxvae.control.rollouts import choose as choose
from jaxvae.control.rollouts import record as record
from jaxvae.control.rollouts import returns as returns
from jaxvae.control.search import search as search
from jaxvae.control.views import Coded as Coded
from jaxvae.control.views import CodedWithMemory as CodedWithMemory
from jaxvae.control.views import Projected as Projected
from jaxvae.control.views import TrueState as TrueState
from jaxvae.control.vision import Vision as Vision
from jaxvae.control.worlds import Viewed as Viewed
from jaxvae.control.worlds import World as World
