import timm
import torch
from torch import nn

from shipdet.models.task_partition import Trunk


def timms(bands: int) -> nn.Module:
    whole = timm.create_model("mobilenetv4_conv_small", pretrained=False, in_chans=bands)
    children = dict(whole.named_children())
    stages = dict(zip(("stride4", "stride8", "stride16", "stride32"), children["blocks"].children(), strict=False))
    stages["stride32"] = nn.Sequential(*list(stages["stride32"].children())[:2])
    return nn.ModuleDict({"stem": nn.Sequential(children["conv_stem"], children["bn1"]), **stages})


def test_it_is_timms_in_names_and_in_what_it_computes() -> None:
    theirs, ours = timms(4), Trunk(4)
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(1, 4, 64, 96)
    with torch.no_grad():
        for got in ours.eval()(x):
            name = f"stride{64 // got.shape[2]}"
            x = theirs.eval()[name](theirs["stem"](x) if name == "stride4" else x)
            torch.testing.assert_close(got, x, rtol=0, atol=1e-5 * float(x.abs().max()))


def test_it_starts_as_spread_as_timms() -> None:
    theirs, ours = timms(3).state_dict(), Trunk().state_dict()
    for name, value in theirs.items():
        if value.dim() == 4 and value.numel() > 5000:
            assert 0.9 < ours[name].std() / value.std() < 1.1
