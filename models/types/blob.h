// Text that may be too long for a message: small text is inline, longer text is named by a blob that is read in pages.
#pragma once

#include "models/types/ids.h"

#include <QList>
#include <optional>

namespace foundry {

struct BlobRef {
    BlobId blobId;
    qint64 size = 0; // bytes
    QString mime;
    QString preview; // the first characters, enough for a folded view
    friend bool operator==(const BlobRef &, const BlobRef &) = default;
};

struct TextOrBlob {
    QString text;
    std::optional<BlobRef> blob = {};

    bool isEmpty() const { return text.isEmpty() && !blob; }
    QString shown() const { return blob ? blob->preview : text; }
    friend bool operator==(const TextOrBlob &, const TextOrBlob &) = default;
};

// A prompt is text, or a blob that was put before it.
struct Prompt {
    QString text;
    std::optional<BlobId> blobId = {};

    bool isEmpty() const { return text.isEmpty() && !blobId; }
    friend bool operator==(const Prompt &, const Prompt &) = default;
};

struct Attachment {
    QString name;
    QString mime;
    qint64 size = 0;
    BlobId blobId;
    friend bool operator==(const Attachment &, const Attachment &) = default;
};

} // namespace foundry
