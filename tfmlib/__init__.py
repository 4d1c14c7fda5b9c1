"""The Transformer of *Attention Is All You Need* (Vaswani et al., 2017), one module a part, from the bottom to the top.

From words to vectors: `vocabulary`, `embedding`, `positional`. Attention: `attention`. The encoder: `feed_forward`,
`sublayer`, `encoder`. The decoder: `masks`, `decoder`, `transformer`, `generator`. Learning to translate: `loss`,
`training`, `decoding`. Beside them: `corpus`, the sentences that the course makes; `checkpoint`, a model with its
vocabularies in a file; `pairs`, sentences of your own; `evaluation`; `interop`, weights to and from
`torch.nn`; `draw`, the pictures.
"""

__version__ = "0.1.0"
