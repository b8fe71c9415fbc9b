"""Data that does not ship: where it is looked for, how it is read, and how it is had.

    registry.py    the sets there are: their files, checksums, licences
    folders.py     in which folders files are looked for
    content.py     the bytes of one file, whole and of the right checksum
    idx.py cifar.py npz.py table.py     the formats; numerals.py numbers as people write them
    columns.py target.py rows.py arrays.py     what a table or arrays mean: inputs and targets
    understood.py  that in words, and what a person chooses or is asked
    images.py      one part of a set as arrays
    own.py         a file of the user's own, by its name and the hash of its content
    download.py    fetching, when a person asks for it

Nothing here trusts a file: sizes are known before anything is unpacked, nothing is unpickled,
archives are read by the names of their members and never extracted. What is wrong with a file
is one sentence (`DataError`) that names it and says what to do. numpy only.
"""
