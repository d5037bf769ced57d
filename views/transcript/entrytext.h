// Transcript entries and times in words: for one-line summaries, for copying whole entries, for screen readers.
#pragma once

#include "models/types/transcript.h"

namespace foundry::views {

// "12.3k", "840".
QString countText(qint64 count);
QString fileSizeText(qint64 bytes);

// Who speaks and what it is: "You", "Agent", "Tool call, edit, completed", …
QString entrySpeaker(const TranscriptEntry &entry);
// What is said, without marks. May be long.
QString entryPlainText(const TranscriptEntry &entry);
// The same as Markdown, for the clipboard.
QString entryMarkdown(const TranscriptEntry &entry);
// One line for assistive technology: speaker, state, the first words.
QString entryAccessibleName(const TranscriptEntry &entry);

QString toolStatusText(const QString &status);
QString toolKindText(const QString &kind);
QString turnEndText(const TurnEnd &end);
// "Allowed: Allow once"; empty while it is unanswered.
QString permissionAnswerText(const PermissionAsk &ask);

} // namespace foundry::views
