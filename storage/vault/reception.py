"""Reception of a contact file: its bytes become the stored rows of an upload.

Workbooks are read in a process of their own.
"""

from collections.abc import Iterable

from application.contacts.files.contact_file import ContactFile, ReadOptions
from application.contacts.files.uploads import Upload
from storage.vault.uploads import NewUpload, UploadStore
from storage.workbooks.process import open_workbook


def receive_file(
    store: UploadStore, new: NewUpload, pieces: Iterable[bytes], options: ReadOptions
) -> Upload:
    """Read a contact file and store its rows; store nothing of a refused file.

    Raises:
        MappingNeeded: the phone column is not known.
        UnreadableFile: the file is refused; the message says why.
        StoreUnavailable: the database cannot be reached.
    """
    with ContactFile(options, open_workbook) as file, store.receive(new) as reception:
        for piece in pieces:
            reception.write(file.feed(piece))
        for rows in file.finish():
            reception.write(rows)
        return reception.complete(file.findings())


def receive_built(store: UploadStore, new: NewUpload, content: bytes) -> Upload:
    """Store the rows of a small file that was built here; see `receive_file`."""
    return receive_file(store, new, [content], ReadOptions(new.default_region))
