#!/usr/bin/env python3
"""Writes a text file as the C++ source of culvert::config::kDefaults: embed.py INPUT OUTPUT."""

import sys


def main():
    source, target = sys.argv[1:]
    with open(source, "rb") as file:
        octets = file.read()
    rows = [octets[i:i + 20] for i in range(0, len(octets), 20)]
    with open(target, "w", encoding="ascii") as out:
        out.write('#include "proto/config/defaults.h"\n\nnamespace culvert::config {\n')
        out.write("namespace {\nconstexpr char kText[] = {\n")
        for row in rows:
            out.write("    " + ", ".join(str(octet if octet < 128 else octet - 256) for octet in row) + ",\n")
        out.write("};\n}  // namespace\n\n")
        out.write("const std::string_view kDefaults(kText, sizeof(kText));\n\n")
        out.write("}  // namespace culvert::config\n")


if __name__ == "__main__":
    main()
