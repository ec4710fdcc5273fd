"""Make a data set's items: for toy data the table of parameters that its waveforms are rendered from."""

from audiopriors import registry, runtime
from audiopriors.files import write_rows


def main() -> None:
    parser = runtime.parser(__doc__)
    parser.add_argument("--output", required=True, help="output: the items (parquet)")
    arguments = parser.parse_args()
    settings = arguments.settings
    kind = settings["data"]["kind"]
    config = registry.settings("data", kind, settings["data"]["settings"])
    table = registry.load("data", kind).make(config, settings["sources"], tuple(settings["seed"]))
    write_rows(table, arguments.output)


if __name__ == "__main__":
    runtime.run(main)
