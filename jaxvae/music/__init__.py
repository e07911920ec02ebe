"""Melodies: notes and event tokens, MIDI files, and sound."""

from jaxvae.music.events import FIRST as FIRST
from jaxvae.music.events import OFF as OFF
from jaxvae.music.events import STEPS_PER_BAR as STEPS_PER_BAR
from jaxvae.music.events import SUSTAIN as SUSTAIN
from jaxvae.music.events import notes as notes
from jaxvae.music.events import tokens as tokens
from jaxvae.music.midi import read_midi as read_midi
from jaxvae.music.midi import write_midi as write_midi
from jaxvae.music.sound import choose_synthesiser as choose_synthesiser
from jaxvae.music.sound import write_wav as write_wav
