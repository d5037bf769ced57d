// Models and values for the tests of the task page: what a host could have sent.
#pragma once

#include "models/changesmodel.h"
#include "models/queuedpromptmodel.h"
#include "models/sessionlistmodel.h"
#include "models/stagelistmodel.h"
#include "models/transcriptmodel.h"
#include "models/types/commands.h"

#include <QDateTime>

namespace foundry {

inline TranscriptEntry entryOf(EntryKind kind, const QString &text, qint64 index = 0)
{
    TranscriptEntry entry;
    entry.index = index;
    entry.kind = kind;
    entry.text = text;
    entry.at = 1'795'349'912'589 + index * 1000;
    return entry;
}

inline TranscriptEntry toolEntry(const QString &kind, const QString &title, const QString &status, qint64 durationMs = -1)
{
    TranscriptEntry entry = entryOf(EntryKind::ToolCall, {});
    ToolCall tool;
    tool.callId = title;
    tool.kind = kind;
    tool.title = title;
    tool.status = status;
    if (durationMs >= 0) {
        tool.startedAt = 1'795'349'912'589;
        tool.endedAt = *tool.startedAt + durationMs;
    }
    entry.tool = tool;
    return entry;
}

inline Stage stageOf(const QString &id, StageState state, qint64 order, qint64 tookMs = -1, const QString &message = {})
{
    Stage stage;
    stage.id = id;
    stage.state = state;
    stage.order = order;
    if (tookMs >= 0) {
        const Millis now = QDateTime::currentMSecsSinceEpoch();
        stage.startedAt = now - tookMs - 400;
        if (state != StageState::Running)
            stage.endedAt = *stage.startedAt + tookMs;
    }
    if (!message.isEmpty())
        stage.message = message;
    return stage;
}

inline FileChange changeOf(const QString &path, const QString &status, qint64 added, qint64 removed,
    ChangeScope scope = ChangeScope::Unstaged)
{
    FileChange change;
    change.path = path;
    change.status = status;
    change.added = added;
    change.removed = removed;
    change.scope = scope;
    change.id = change.scope.text() + QLatin1Char(':') + path;
    return change;
}

inline void numberEntries(QList<TranscriptEntry> &entries)
{
    for (qsizetype i = 0; i < entries.size(); ++i)
        entries[i].index = i;
}

inline void fill(TranscriptModel &model, QList<TranscriptEntry> entries)
{
    numberEntries(entries);
    TranscriptPage page;
    page.entries = entries;
    page.count = entries.size();
    model.applyPage(page);
    model.setReady(true);
}

// Text of a plausible length for entry i; the same each time.
inline TranscriptEntry plainEntry(qint64 i)
{
    QString text;
    const int sentences = 1 + int((i * 7919) % 9);
    for (int s = 0; s < sentences; ++s)
        text += QStringLiteral("Sentence %1 of entry %2 says something about the parser and its `tokens`. ").arg(s).arg(i);
    if (i % 11 == 0)
        text += QStringLiteral("\n\n```cpp\nint value%1 = compute(%1);\nreturn value%1;\n```\n").arg(i);
    return entryOf(i % 6 == 0 ? EntryKind::UserMessage : EntryKind::AgentMessage, text, i);
}

} // namespace foundry
