"""Pictures of baskets: what has to be legible."""

import matplotlib.pyplot as plt
import pandas as pd

from crmkit import basket


def test_long_names_stay_inside_the_network():
    names = [f"{letter * 40} {number}" for number, letter in enumerate("MWABCDEFGH")]
    rules = pd.DataFrame(
        {
            "antecedent": [(name,) for name in names],
            "consequent": [(name,) for name in names[1:] + names[:1]],
            "lift": [2.0 + number for number in range(10)],
        }
    )
    figure = basket.plot_network(rules).figure
    figure.canvas.draw()
    frame = figure.bbox
    texts = [text for text in figure.axes[0].texts if text.get_text()]
    assert sorted(text.get_text()[0] for text in texts) == sorted("MWABCDEFGH")
    for text in texts:
        box = text.get_window_extent()
        assert frame.x0 <= box.x0
        assert box.x1 <= frame.x1
        assert frame.y0 <= box.y0
        assert box.y1 <= frame.y1
    plt.close(figure)
