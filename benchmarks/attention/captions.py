"""Show, attend and tell on rendered harbours: does it pay to look, and does it look at what it names?

Claims: BLEU-4 of soft and hard attention above that of the mean over the picture; when a ship is named, attention's
peak lies on a ship more often than chance. BLEU is taken of what the decoder says by itself, by beam search, with
torchmetrics; hard attention looks at its likeliest place then. Sentences are templates: the figures are no one else's.
"""

import torch
import torch.nn.functional as F
from harbour_sentences import BEGIN, CELL, END, LONGEST, NOUNS, PAD, PIXELS, WORDS, Scenes, decode, make_scenes
from torch import Tensor, nn
from torchmetrics.text import BLEUScore
from trials import Options, Table, batches, evaluating, options_of, parameters_of, parser, seed_everything, train

from shipdet.attention.beam_search import BeamOptions, Caption, beam_search
from shipdet.attention.caption_decoder import Attend, CaptionDecoder
from shipdet.attention.reinforce import MovingAverage
from shipdet.attention.show_attend_tell import (
    Chosen,
    doubly_stochastic_penalty,
    evenly,
    hard,
    hard_attention_loss,
    likeliest,
    soft,
)

BATCH = 32
CHANNELS = 96
PENALTY = 0.001
"""Of the doubly stochastic penalty: summed over 144 places, most of which no sentence of ten words can look at."""
VARIANTS: dict[str, Attend] = {"mean": evenly, "soft": soft, "hard": likeliest}
"""Each with how it looks once trained."""


class Captioner(nn.Module):
    """Convolutions to 12 x 12 annotations, and the decoder."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after, stride in ((3, 32, 2), (32, 64, 2), (64, CHANNELS, 2), (CHANNELS, CHANNELS, 1)):
            layers += [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.encoder = nn.Sequential(*layers)
        self.decoder = CaptionDecoder(len(WORDS), CHANNELS, 128, 64)
        self.expected = MovingAverage()

    def annotations(self, images: Tensor) -> Tensor:
        """(B, 144, CHANNELS)."""
        features: Tensor = self.encoder(images)
        return features.flatten(2).transpose(1, 2)


def loss_of(network: Captioner, variant: str, images: Tensor, tokens: Tensor) -> Tensor:
    """Cross-entropy of words, and what the kind of attention adds; hard attention is soft half the time."""
    looks_hard = variant == "hard" and bool(torch.rand(()) < 0.5)
    attend = evenly if variant == "mean" else hard if looks_hard else soft
    told = network.decoder(network.annotations(images), tokens[:, :-1], attend)
    wanted = tokens[:, 1:]
    words = wanted != PAD
    each = F.cross_entropy(told.logits.transpose(1, 2), wanted, ignore_index=PAD, reduction="none")
    loss = each[words].mean()
    if variant == "soft":
        loss = loss + PENALTY * doubly_stochastic_penalty(told.weights, words)
    if looks_hard:
        reward = (-each.detach() * words).sum(dim=1) / words.sum(dim=1)
        chosen = Chosen(told.log_prob, told.weights, words)
        loss = loss + hard_attention_loss(chosen, reward, network.expected(reward))
    return loss


def on_ships(caption: Caption, ships: Tensor) -> list[bool]:
    """For each noun of a sentence, whether attention's peak lies in a cell (12, 12) with a ship in it."""
    peaks = caption.weights.argmax(dim=1)
    flat = ships.flatten()
    return [bool(flat[peak]) for token, peak in zip(caption.tokens, peaks, strict=True) if WORDS[token] in NOUNS]


def judge(network: Captioner, attend: Attend, scenes: Scenes) -> dict[str, float]:
    """Of sentences that the network says by itself."""
    options = BeamOptions(BEGIN, END, beam=3, longest=LONGEST)
    with evaluating(network):
        places = torch.cat([network.annotations(scenes.images[part]) for part in batches(len(scenes.images), 50)])
        said = [beam_search(network.decoder, annotations, attend, options)[0] for annotations in places]
    sentences = [decode(caption.tokens) for caption in said]
    exact = [a == b for a, b in zip(sentences, scenes.sentences, strict=True)]
    named = [hit for caption, ships in zip(said, scenes.ships, strict=True) for hit in on_ships(caption, ships)]
    bleu = BLEUScore(n_gram=4)(sentences, [[sentence] for sentence in scenes.sentences])
    return {
        "BLEU-4": 100 * float(bleu),
        "whole sentences right, %": 100 * sum(exact) / len(exact),
        "nouns looked at, %": 100 * sum(named) / max(len(named), 1),
    }


def run(variant: str, seed: int, options: Options, learn: Scenes) -> Captioner:
    """Train one variant."""
    seed_everything(seed)
    network = Captioner().to(options.device)
    generator = torch.Generator().manual_seed(seed)

    def batch_loss(_: int) -> Tensor:
        which = torch.randint(len(learn.images), (BATCH,), generator=generator).to(options.device)
        return loss_of(network, variant, learn.images[which], learn.tokens[which])

    train(parameters_of(network), batch_loss, options.steps)
    return network


def main() -> None:
    """Train every variant, print the table."""
    made = parser(__doc__, steps=1200)
    made.add_argument("--scenes", type=int, default=2000)
    args = made.parse_args()
    options = options_of(args)
    learn = make_scenes(options.few(args.scenes), 1, options.device)
    test = make_scenes(options.few(args.scenes // 5), 2, options.device)
    chance = 100 * float(test.ships.float().mean())
    print(f"{chance:.1f} % of {PIXELS // CELL} x {PIXELS // CELL} cells hold a ship: what a peak at random would score")
    table = Table("Captions of rendered harbours", options)
    for seed in options.seeds:
        for variant, attend in VARIANTS.items():
            for measure, value in judge(run(variant, seed, options, learn), attend, test).items():
                if variant != "mean" or "nouns" not in measure:
                    table.add(variant, measure, value)
        table.add("a peak at random", "nouns looked at, %", chance)
    table.show()
    for variant in ("soft", "hard"):
        table.claim(f"BLEU-4: mean below {variant}", ("mean", "BLEU-4"), (variant, "BLEU-4"))
        looked = "nouns looked at, %"
        table.claim(f"nouns: chance below {variant}", ("a peak at random", looked), (variant, looked))


if __name__ == "__main__":
    main()
