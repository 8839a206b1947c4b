# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints a topology file that nobody should trust."""

import sys

kind = sys.argv[1]
if kind == "entities":
    print('<?xml version="1.0"?>\n<!DOCTYPE system [<!ENTITY a "aaaaaaaaaa">')
    for level in range(20):
        name, inner = chr(98 + level), chr(97 + level)
        print(f'<!ENTITY {name} "{f"&{inner};" * 10}">')
    print(']>\n<system version="1"><cpu name="&u;"/></system>')
elif kind == "unclosed":
    print('<system version="1">\n<cpu numaid="0">\n<pci busid="0000:01:00.0">\n</system>')
elif kind == "orphan":
    print('<cpu numaid="0">\n<gpu dev="0" sm="90" rank="0"/>\n</cpu>')
elif kind == "million":
    print('<system version="1">\n<cpu numaid="0">')
    for number in range(1_000_000):
        print(f'<pci busid="{number:x}"/>')
    print("</cpu>\n</system>")
