// Transcript entries: what was said and done in a session, in order. Message text only grows; a tool call, a plan, a
// permission or a question may change by its index until its turn ends; after that an entry is final.
#pragma once

#include "models/types/blob.h"
#include "models/types/session.h"
#include "models/types/task.h"

#include <variant>

namespace foundry {

enum class EntryKind { UserMessage, AgentMessage, AgentThought, ToolCall, Plan, Permission, Question, TurnEnd, Notice, Error };
template <>
struct EnumNames<EntryKind> {
    static constexpr EnumName<EntryKind> all[] = {{EntryKind::UserMessage, QLatin1StringView("user_message")},
        {EntryKind::AgentMessage, QLatin1StringView("agent_message")},
        {EntryKind::AgentThought, QLatin1StringView("agent_thought")},
        {EntryKind::ToolCall, QLatin1StringView("tool_call")}, {EntryKind::Plan, QLatin1StringView("plan")},
        {EntryKind::Permission, QLatin1StringView("permission")}, {EntryKind::Question, QLatin1StringView("question")},
        {EntryKind::TurnEnd, QLatin1StringView("turn_end")}, {EntryKind::Notice, QLatin1StringView("notice")},
        {EntryKind::Error, QLatin1StringView("error")}};
};

struct ToolText {
    TextOrBlob text;
    friend bool operator==(const ToolText &, const ToolText &) = default;
};
struct ToolDiff {
    QString path;
    std::optional<TextOrBlob> oldText = {}; // absent: a new file
    TextOrBlob newText;
    friend bool operator==(const ToolDiff &, const ToolDiff &) = default;
};
struct ToolTerminal {
    ProcessId processId;
    friend bool operator==(const ToolTerminal &, const ToolTerminal &) = default;
};
struct ToolImage {
    BlobRef image;
    friend bool operator==(const ToolImage &, const ToolImage &) = default;
};
using ToolContent = std::variant<ToolText, ToolDiff, ToolTerminal, ToolImage>;

struct ToolLocation {
    QString path;
    std::optional<qint64> line = {};
    friend bool operator==(const ToolLocation &, const ToolLocation &) = default;
};

struct ToolCall {
    QString callId;
    QString title;
    QString kind;   // read edit delete move search execute think fetch switch_mode other
    QString status; // pending in_progress completed failed
    QList<ToolLocation> locations = {};
    QList<ToolContent> content = {};
    std::optional<TextOrBlob> rawInput = {};  // JSON text
    std::optional<TextOrBlob> rawOutput = {}; // JSON text
    std::optional<Millis> startedAt = {};
    std::optional<Millis> endedAt = {};
    friend bool operator==(const ToolCall &, const ToolCall &) = default;
};

struct PlanEntry {
    QString content;
    QString priority; // high medium low
    QString status;   // pending in_progress completed
    friend bool operator==(const PlanEntry &, const PlanEntry &) = default;
};

struct PermissionAsk {
    QString requestId;
    QString toolCallId;
    QString title;
    QList<PermissionOption> options = {};
    std::optional<QString> answer = {}; // an option's id, or "cancelled"
    std::optional<QString> answeredBy = {};
    friend bool operator==(const PermissionAsk &, const PermissionAsk &) = default;
};

// One field of a question's form. `value` is what the agent suggests. Values travel as text; that of an array is a JSON
// array of texts.
struct QuestionField {
    QString name;
    QString title;
    QString description;
    QString type; // string, number, integer, boolean, enum, array
    bool required = false;
    QList<AgentChoice> options = {}; // of an enum or an array
    std::optional<QString> value = {};
    // Bounds of a number, of a text's length, of how many of an array are chosen.
    std::optional<double> minimum = {};
    std::optional<double> maximum = {};
    std::optional<QString> pattern = {}; // of a string: a regular expression
    std::optional<QString> format = {};  // of a string: email, uri, date, date-time
    friend bool operator==(const QuestionField &, const QuestionField &) = default;
};

// What an agent asks beside permissions (ACP elicitation).
struct QuestionAsk {
    QString requestId;
    QString message;
    QList<QuestionField> fields = {};
    std::optional<QString> url = {}; // to be opened instead of a form
    std::optional<QString> answer = {}; // accept, decline, cancel
    QMap<QString, QString> values = {};
    std::optional<QString> answeredBy = {};
    friend bool operator==(const QuestionAsk &, const QuestionAsk &) = default;
};

struct TurnEnd {
    QString stopReason; // end_turn max_tokens max_turn_requests refusal cancelled interrupted error
    qint64 durationMs = 0;
    std::optional<Usage> usage = {};
    friend bool operator==(const TurnEnd &, const TurnEnd &) = default;
};

struct TranscriptEntry : EntityMeta {
    qint64 index = 0; // 0…, dense
    qint64 turn = 0;
    Millis at = 0;
    OpenEnum<EntryKind> kind = {};
    QString text; // Markdown
    bool continues = false; // goes on from the entry before (a message longer than 16 KiB)
    QList<Attachment> attachments = {};
    std::optional<ToolCall> tool = {};
    QList<PlanEntry> plan = {};
    std::optional<PermissionAsk> permission = {};
    std::optional<QuestionAsk> question = {};
    std::optional<TurnEnd> turnEnd = {};
    std::optional<foundry::Error> error = {};
    friend bool operator==(const TranscriptEntry &, const TranscriptEntry &) = default;
};

} // namespace foundry
