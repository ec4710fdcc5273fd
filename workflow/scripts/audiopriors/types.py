"""Names for the types of settings, and the JSON schema of each (see registry.py)."""

Count = int
Several = int
NonNegative = float
Positive = float
Share = float
ShareAboveZero = float
ShareBelowOne = float
Classes = str | dict[str, list[int | str]]

SCHEMAS: dict[str, dict] = {
    "int": {"type": "integer", "minimum": 0},
    "Count": {"type": "integer", "minimum": 1},
    "Several": {"type": "integer", "minimum": 2},
    "float": {"type": "number"},
    "NonNegative": {"type": "number", "minimum": 0},
    "Positive": {"type": "number", "exclusiveMinimum": 0},
    "Share": {"type": "number", "minimum": 0, "maximum": 1},
    "ShareAboveZero": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    "ShareBelowOne": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    "Classes": {
        "type": ["string", "object"],
        "additionalProperties": {"type": "array", "items": {"type": ["integer", "string"]}},
    },
    "bool": {"type": "boolean"},
    "str": {"type": "string"},
    "list[str]": {"type": "array", "items": {"type": "string"}},
    "list[float]": {"type": "array", "items": {"type": "number"}},
    "list[Positive]": {"type": "array", "items": {"type": "number", "exclusiveMinimum": 0}, "minItems": 1},
    "tuple[float, float]": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    "tuple[Positive, Positive]": {
        "type": "array", "items": {"type": "number", "exclusiveMinimum": 0}, "minItems": 2, "maxItems": 2,
    },
}  # fmt: skip
