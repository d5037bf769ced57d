// Long texts and files that are too large for a message or a row: put in pieces, read in pages, named by an id. They lie
// outside the actors' databases, under <data>/blobs: what was uploaded in the folder itself, what a task keeps in one of its
// own below it, so that it can go with the task. Files only, no state: any thread. Sizes are bytes.
#pragma once

#include "models/types/blob.h"
#include "models/types/commands.h"
#include "models/types/ids.h"
#include "models/types/result.h"

#include <QByteArray>
#include <QString>

namespace foundry::backend {

class BlobStore {
public:
    explicit BlobStore(QString root);
    // What this task keeps; what it does not keep is read from the uploads.
    BlobStore ofTask(const TaskId &task) const;

    // Makes an upload this task's own, so that it stays as long as the task. Errors: input.invalid (no such upload),
    // internal.storage_failed.
    Result<> take(const BlobId &id) const;
    // All that a task keeps, and the uploads that it took and nobody sent again since. Blocks: for a worker thread. The
    // same again is well. Error: internal.storage_failed.
    Result<> removeTask() const;

    // A piece at its offset; `last` makes the blob whole and readable. The same piece again changes nothing. Errors:
    // input.invalid (a gap), input.too_large (past 20 MiB), internal.storage_failed.
    Result<> put(const BlobId &id, qint64 offset, const QByteArray &data, bool last) const;
    // Keeps text under an id made from its content.
    Result<BlobRef> keep(const QByteArray &data, const QString &mime) const;

    std::optional<qint64> size(const BlobId &id) const; // of whole ones
    // At most 256 KiB a page. Error: input.invalid (no such blob).
    Result<BlobPage> read(const BlobId &id, qint64 offset, qint64 limit) const;
    Result<QByteArray> readAll(const BlobId &id, qint64 limit) const;

private:
    QString pathOf(const BlobId &id) const;
    // Where it is: kept here, or uploaded. Empty: nowhere.
    QString found(const BlobId &id) const;

    QString m_root;
    QString m_uploads; // of a task's own store
};

// Inline up to 16 KiB (`inlineBytes`), else kept as a blob; on a full disk it stays cut, and says so.
inline constexpr qsizetype blobInlineLimit = 16 * 1024;
TextOrBlob textOrBlob(const BlobStore &store, const QString &text, const QString &mime, qsizetype inlineBytes = blobInlineLimit);

} // namespace foundry::backend
