"""Put one table of several data sets below each other, as CSV and Markdown."""

import pandas as pd
from audiopriors import runtime, tables


def main() -> None:
    parser = runtime.parser(__doc__)
    parser.add_argument("--tables", nargs="+", required=True, help="that table of each data set")
    parser.add_argument("--csv", required=True, help="output")
    parser.add_argument("--markdown", required=True, help="output")
    arguments = parser.parse_args()
    tables.write(pd.concat([tables.read_csv(path) for path in arguments.tables]), arguments.csv, arguments.markdown)


if __name__ == "__main__":
    runtime.run(main)
