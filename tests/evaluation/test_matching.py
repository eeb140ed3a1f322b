import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from shipdet.errors import LabelsError
from shipdet.evaluation.matching import FALSE_ALARM, HIT, IGNORED, MatchRule, footprints, ignored, match
from shipdet.geometry import Hulls
from shipdet.labels.bow_stern_json import read_bow_stern_json
from shipdet.labels.types import Labels, Ship


def labels_of(*ships, regions=(), complete=True):
    return Labels.of_rows(ships, regions, complete=complete)


def hulls_of(*ends, scores=None, beam=20.0):
    """Hulls from (bow x, bow y, stern x, stern y)."""
    ends = np.array(ends, dtype=np.float64).reshape(-1, 4)
    score = np.linspace(0.9, 0.5, len(ends)) if scores is None else np.array(scores, dtype=np.float64)
    return Hulls(ends[:, :2], ends[:, 2:], np.full(len(ends), beam), score, np.ones(len(ends)))


SHIP = Ship((200.0, 100.0), (100.0, 100.0), beam=20.0)


def test_a_prediction_on_the_labelled_ends_is_a_hit_without_error():
    matched = match(hulls_of((200, 100, 100, 100)), labels_of(SHIP))
    assert matched.status.tolist() == [HIT]
    assert matched.label.tolist() == [0]
    assert matched.heading_error_deg.tolist() == [0]
    assert matched.length_error.tolist() == [0]
    assert matched.counted.tolist() == [True]


def test_swapped_ends_are_a_hit_that_heads_the_wrong_way():
    matched = match(hulls_of((100, 100, 200, 100)), labels_of(SHIP))
    assert matched.status.tolist() == [HIT]
    assert matched.heading_error_deg[0] == pytest.approx(180)


@pytest.mark.parametrize(("offset", "status"), [(19, HIT), (20, HIT), (21, FALSE_ALARM)])
@pytest.mark.parametrize("end", ["bow", "stern"])
def test_each_end_may_lie_a_fifth_of_the_length_away(offset, status, end):
    ends = (200, 100 + offset, 100, 100) if end == "bow" else (200, 100, 100, 100 - offset)
    assert match(hulls_of(ends), labels_of(SHIP)).status.tolist() == [status]
    assert match(hulls_of((*ends[2:], *ends[:2])), labels_of(SHIP)).status.tolist() == [status]


def test_the_tolerance_is_a_share_of_the_labelled_length_not_of_the_predicted_one():
    assert match(hulls_of((121, 100, 0, 100)), labels_of(Ship((100, 100), (0, 100)))).status[0] == FALSE_ALARM
    assert match(hulls_of((100, 100, 0, 100)), labels_of(Ship((121, 100), (0, 100)))).status[0] == HIT


def test_359_and_1_degrees_are_two_degrees_apart():
    east = [np.radians(359.0), np.radians(1.0)]
    (ax, ay), (bx, by) = ((100 * np.sin(a), -100 * np.cos(a)) for a in east)
    matched = match(hulls_of((ax, ay, 0, 0)), labels_of(Ship((bx, by), (0.0, 0.0))))
    assert matched.heading_error_deg[0] == pytest.approx(2)


def test_an_unknown_bow_gives_no_heading_error_but_a_length_error():
    ship = Ship((200.0, 100.0), (100.0, 100.0), bow_known=False)
    matched = match(hulls_of((210, 100, 100, 100)), labels_of(ship))
    assert np.isnan(matched.heading_error_deg[0])
    assert matched.length_error[0] == pytest.approx(0.1)


def test_of_two_predictions_on_one_ship_the_better_score_is_the_hit_even_if_it_lies_farther_off():
    hulls = hulls_of((200, 100, 100, 100), (205, 105, 105, 100), scores=[0.4, 0.8])
    assert match(hulls, labels_of(SHIP)).status.tolist() == [FALSE_ALARM, HIT]


def test_of_equal_scores_the_nearer_prediction_is_the_hit():
    hulls = hulls_of((205, 105, 105, 100), (200, 100, 100, 100), scores=[0.5, 0.5])
    assert match(hulls, labels_of(SHIP)).status.tolist() == [FALSE_ALARM, HIT]


def test_a_prediction_takes_the_nearest_free_ship():
    raft = labels_of(SHIP, Ship((200.0, 112.0), (100.0, 112.0)))
    first = match(hulls_of((200, 110, 100, 110)), raft)
    assert first.label.tolist() == [1]
    both = match(hulls_of((200, 110, 100, 110), (200, 109, 100, 109)), raft)
    assert both.label.tolist() == [1, 0]
    assert both.status.tolist() == [HIT, HIT]


def test_difficult_short_and_odd_ships_are_ignored():
    ships = [
        SHIP,
        Ship((50.0, 0.0), (0.0, 0.0), difficult=True),
        Ship((11.9, 0.0), (0.0, 0.0)),
        Ship((12.0, 0.0), (0.0, 0.0)),
        *(Ship((50.0, 0.0), (0.0, 0.0), type=kind) for kind in ("pontoon", "wake boat", "odd", "barge")),
    ]
    assert ignored(labels_of(*ships)).tolist() == [False, True, True, False, True, True, True, False]
    assert ignored(labels_of(*ships), min_length=60.0).tolist() == [False] + [True] * 7


def test_predictions_on_an_ignored_ship_are_dropped_however_many():
    doubtful = Ship(SHIP.bow, SHIP.stern, beam=20.0, difficult=True)
    cases = hulls_of(
        (200, 100, 100, 100),  # its ends
        (100, 100, 200, 100),  # swapped
        (160, 105, 140, 105),  # the middle inside
        (170, 112, 130, 112),  # the middle outside, 40 % of its footprint inside
        (150, 140, 150, 106),  # the middle outside, little of it inside
        (400, 400, 300, 400),  # elsewhere
    )
    matched = match(cases, labels_of(doubtful))
    assert matched.status.tolist() == [IGNORED, IGNORED, IGNORED, FALSE_ALARM, FALSE_ALARM, FALSE_ALARM]
    assert matched.counted.tolist() == [False]
    looser = match(cases, labels_of(doubtful), MatchRule(max_overlap=0.3))
    assert looser.status.tolist() == [IGNORED, IGNORED, IGNORED, IGNORED, FALSE_ALARM, FALSE_ALARM]


def test_a_prediction_mostly_on_an_ignored_ship_is_dropped_though_its_middle_is_off_it():
    wide = labels_of(Ship((200.0, 100.0), (100.0, 100.0), beam=100.0, difficult=True))
    # The blunt end lies on the ship, 19 of 40 px, and the pointed one, which has less area, off it: 57 %.
    half_on = hulls_of((79, 100, 119, 100), beam=30.0)
    assert match(half_on, wide).status.tolist() == [IGNORED]
    assert match(half_on, wide, MatchRule(max_overlap=0.6)).status.tolist() == [FALSE_ALARM]


def test_a_ship_that_counts_is_found_even_on_top_of_an_ignored_one():
    cluster = Ship((250.0, 100.0), (50.0, 100.0), beam=150.0, difficult=True)
    matched = match(hulls_of((200, 100, 100, 100)), labels_of(cluster, SHIP))
    assert matched.status.tolist() == [HIT]
    assert matched.label.tolist() == [1]


def test_a_mask_of_the_callers_takes_the_place_of_the_rule():
    matched = match(hulls_of((200, 100, 100, 100)), labels_of(SHIP), ignore=np.array([True]))
    assert matched.status.tolist() == [IGNORED]
    with pytest.raises(LabelsError, match="one ignore value for each of 1 ships"):
        match(hulls_of(), labels_of(SHIP), ignore=np.zeros(3, dtype=bool))


def test_unmatched_predictions_count_only_where_labelling_is_complete():
    hulls = hulls_of((200, 100, 100, 100), (60, 50, 20, 50), (560, 50, 520, 50), (760, 50, 720, 50))
    regions = [(0, 0, 90, 90), (500, 0, 600, 90)]
    inside = match(hulls, labels_of(SHIP, regions=regions))
    assert inside.status.tolist() == [HIT, FALSE_ALARM, FALSE_ALARM, IGNORED]
    everywhere = match(hulls, labels_of(SHIP))
    assert everywhere.status.tolist() == [HIT, FALSE_ALARM, FALSE_ALARM, FALSE_ALARM]
    nowhere = match(hulls, labels_of(SHIP, complete=False))
    assert nowhere.status.tolist() == [HIT, IGNORED, IGNORED, IGNORED]


def test_an_unmeasured_beam_is_a_quarter_of_the_length():
    (outline,) = footprints(labels_of(Ship((100.0, 0.0), (0.0, 0.0))))
    assert np.ptp(outline[:, 1]) == pytest.approx(25)
    (measured,) = footprints(labels_of(SHIP))
    assert np.ptp(measured[:, 1]) == pytest.approx(20)


def test_nothing_predicted_or_nothing_labelled_is_no_error():
    assert match(Hulls.empty(), labels_of(SHIP)).counted.tolist() == [True]
    assert match(hulls_of((9, 9, 1, 1)), labels_of()).status.tolist() == [FALSE_ALARM]
    assert len(match(Hulls.empty(), labels_of()).status) == 0


def test_hulls_and_ignored_ships_without_extent_are_no_error():
    points = labels_of(Ship((5.0, 5.0), (5.0, 5.0)), Ship((50.0, 5.0), (5.0, 5.0), beam=0.0, difficult=True))
    matched = match(hulls_of((5, 5, 5, 5), (90, 90, 90, 90), beam=0.0), points)
    assert matched.status.tolist() == [IGNORED, FALSE_ALARM]


def brute_force(hulls, labels, ignore):
    """The rule read out literally, for distinct scores."""
    taken, found = set(), np.full(len(hulls), -1)
    for n in np.argsort(-hulls.score):
        best = None
        for s in range(len(labels)):
            reach = 0.2 * np.hypot(*(labels.bow[s] - labels.stern[s]))
            for bow, stern in ((labels.bow[s], labels.stern[s]), (labels.stern[s], labels.bow[s])):
                a, b = np.hypot(*(hulls.bow[n] - bow)), np.hypot(*(hulls.stern[n] - stern))
                if max(a, b) <= reach and s not in taken and not ignore[s] and (best is None or a + b < best[0]):
                    best = (a + b, s)
        if best is not None:
            taken.add(best[1])
            found[n] = best[1]
    return found


@given(seed=st.integers(0, 2**32 - 1))
def test_the_matching_is_that_of_the_rule_read_out_literally(seed):
    rng = np.random.default_rng(seed)
    bow, stern = rng.uniform(0, 60, (2, 12, 2))
    ships = [Ship(tuple(b), tuple(s), difficult=bool(rng.random() < 0.2)) for b, s in zip(bow, stern, strict=True)]
    of = rng.integers(0, 12, 20)
    ends = np.concatenate([bow[of], stern[of]], axis=1) + rng.normal(0, 3, (20, 4))
    hulls, labels = hulls_of(*ends, scores=rng.permutation(20) / 20), labels_of(*ships)
    assert match(hulls, labels).label.tolist() == brute_force(hulls, labels, ignored(labels)).tolist()


def test_real_labels_match_themselves(shared_data):
    for path in sorted((shared_data / "inshore").glob("*.json"))[:10]:
        labels = read_bow_stern_json(path)
        beam = np.where(np.isnan(labels.beam), 10.0, labels.beam)
        hulls = Hulls(labels.bow, labels.stern, beam, np.linspace(1, 0.5, len(labels)), np.ones(len(labels)))
        matched = match(hulls, labels)
        assert (matched.status[matched.counted] == HIT).all()
        assert (matched.status[~matched.counted] == IGNORED).all()


def test_what_is_found_where_nobody_marked_ends_is_no_false_alarm():
    labels = Labels.of_rows([SHIP], [], complete=True, ignore=[shapely.box(300, 0, 400, 100)])
    matched = match(hulls_of((200, 100, 100, 100), (380, 50, 330, 50), (380, 300, 330, 300)), labels)
    assert matched.status.tolist() == [HIT, IGNORED, FALSE_ALARM]
