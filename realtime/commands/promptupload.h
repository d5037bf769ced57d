// Prompts beyond the size of a message go up as a blob first, in pieces; the rest of the command then names the blob.
// GUI thread.
#pragma once

#include "realtime/commands/commandsender.h"

namespace foundry::realtime {

class PromptUpload : public QObject {
    Q_OBJECT

public:
    static constexpr qint64 inlineLimit = 40 * 1024;  // as JSON: a client's message stays below 48 KiB with its envelope
    static constexpr qint64 promptLimit = 256 * 1024; // UTF-8 bytes
    static constexpr qint64 pieceSize = 32 * 1024;    // before base64

    // `organization` is the queue of the organization actor, which keeps blobs on their way.
    explicit PromptUpload(CommandQueue &organization, QObject *parent = nullptr);

    // Before anything is sent: input.too_large, with what to do.
    static std::optional<Error> check(const QString &text);
    static bool fitsInline(const QString &text);

    // Small text: answered at once, inline. Answered exactly once unless `context` is gone.
    void prepare(const QString &text, QObject *context, Answered<Prompt> then);

private:
    CommandQueue &m_queue;
};

} // namespace foundry::realtime
