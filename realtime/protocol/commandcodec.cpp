// encodeValue and decodeValue for every command, read and answer of models/types/commands.h.
#include "realtime/protocol/codec.h"

#include "realtime/protocol/fieldcodec.h"

namespace foundry::protocol {

// As in the contract: "window": {"from", "to"}.
struct WindowRange {
    qint64 from = 0;
    qint64 to = 0;
};

template <class V, Same<WindowRange> T>
void describe(V &v, T &x)
{
    v(QLatin1StringView("from"), x.from);
    v(QLatin1StringView("to"), x.to);
}

template <class V, Same<ChangesSince> T>
void describe(V &v, T &x)
{
    v(QLatin1StringView("topic"), x.topic);
    v.lenient(QLatin1StringView("generation"), x.generation);
    v.lenient(QLatin1StringView("revision"), x.revision);
    v(QLatin1StringView("cursor"), x.cursor);
    std::optional<WindowRange> window;
    if (x.windowFrom && x.windowTo)
        window = WindowRange{*x.windowFrom, *x.windowTo};
    v(QLatin1StringView("window"), window);
    if constexpr (!std::is_const_v<T>) {
        if (window) {
            x.windowFrom = window->from;
            x.windowTo = window->to;
        }
    }
}

// `{"state":"pending"}` until what was asked for is stored.
template <class V, class T>
void describePending(V &v, T &x)
{
    std::optional<QString> state;
    if (x.pending)
        state = QStringLiteral("pending");
    v(QLatin1StringView("state"), state);
    if constexpr (!std::is_const_v<T>)
        x.pending = state == QLatin1StringView("pending");
}

template <class V, Same<DirectoryPage> T>
void describe(V &v, T &x)
{
    describePending(v, x);
    v.lenient(QLatin1StringView("path"), x.path);
    v.lenient(QLatin1StringView("nodes"), x.nodes);
    v(QLatin1StringView("cursor"), x.cursor);
    v(QLatin1StringView("error"), x.error);
}

template <class V, Same<FilesFound> T>
void describe(V &v, T &x)
{
    describePending(v, x);
    v.lenient(QLatin1StringView("paths"), x.paths);
    v.lenient(QLatin1StringView("truncated"), x.truncated);
    v(QLatin1StringView("error"), x.error);
}

template <class V, Same<FilePage> T>
void describe(V &v, T &x)
{
    describePending(v, x);
    v.lenient(QLatin1StringView("path"), x.path);
    if (!x.pending)
        v.base64(QLatin1StringView("dataBase64"), x.data);
    v.lenient(QLatin1StringView("offset"), x.offset);
    v.lenient(QLatin1StringView("size"), x.size);
    v.lenient(QLatin1StringView("binary"), x.binary);
    v(QLatin1StringView("error"), x.error);
}

template <class V, Same<DiffPage> T>
void describe(V &v, T &x)
{
    describePending(v, x);
    v.lenient(QLatin1StringView("path"), x.path);
    v.lenient(QLatin1StringView("unified"), x.unified);
    v.lenient(QLatin1StringView("binary"), x.binary);
    v(QLatin1StringView("cursor"), x.cursor);
    v(QLatin1StringView("error"), x.error);
}

template <class T>
QByteArray encodeValue(const T &value)
{
    JsonWriter json;
    FieldWriter(json).write(value);
    return json.take();
}

template <class T>
Result<T> decodeValue(QByteArrayView text)
{
    return withJson(text, [](const Json &root) -> Result<T> {
        std::optional<Error> error;
        T value{};
        FieldReader reader(root, error);
        if (!reader.read(root, value) && !error)
            return malformed(QStringLiteral("The value has the wrong shape."));
        if (error)
            return *error;
        return value;
    });
}

#define FOUNDRY_CODEC(Type)                                                                                                  \
    template QByteArray encodeValue<Type>(const Type &);                                                                     \
    template Result<Type> decodeValue<Type>(QByteArrayView);

FOUNDRY_CODEC(AddRepository)
FOUNDRY_CODEC(RemoveRepository)
FOUNDRY_CODEC(ConfirmAgent)
FOUNDRY_CODEC(InstallAgent)
FOUNDRY_CODEC(RefreshAgents)
FOUNDRY_CODEC(AddCustomAgent)
FOUNDRY_CODEC(CreateTask)
FOUNDRY_CODEC(CreateTaskAnswer)
FOUNDRY_CODEC(PutBlob)
FOUNDRY_CODEC(CreateSession)
FOUNDRY_CODEC(RenameSession)
FOUNDRY_CODEC(CloseSession)
FOUNDRY_CODEC(SendMessage)
FOUNDRY_CODEC(EditQueued)
FOUNDRY_CODEC(DropQueued)
FOUNDRY_CODEC(CancelTurn)
FOUNDRY_CODEC(ResendInterrupted)
FOUNDRY_CODEC(AnswerPermission)
FOUNDRY_CODEC(SetModel)
FOUNDRY_CODEC(SetMode)
FOUNDRY_CODEC(SetOption)
FOUNDRY_CODEC(RenameTask)
FOUNDRY_CODEC(RetryStage)
FOUNDRY_CODEC(CancelProvisioning)
FOUNDRY_CODEC(ResolveBranchClash)
FOUNDRY_CODEC(RefreshChanges)
FOUNDRY_CODEC(SelectOrganization)
FOUNDRY_CODEC(SetDefaults)
FOUNDRY_CODEC(SetUnread)
FOUNDRY_CODEC(SetSeen)
FOUNDRY_CODEC(SetOrder)
FOUNDRY_CODEC(SetActiveSession)
FOUNDRY_CODEC(UpdateDraft)
FOUNDRY_CODEC(ChangesSince)
FOUNDRY_CODEC(GetTranscript)
FOUNDRY_CODEC(TranscriptPage)
FOUNDRY_CODEC(GetDiff)
FOUNDRY_CODEC(DiffPage)
FOUNDRY_CODEC(GetStageLog)
FOUNDRY_CODEC(StageLog)
FOUNDRY_CODEC(GetBlob)
FOUNDRY_CODEC(BlobPage)
FOUNDRY_CODEC(User)
FOUNDRY_CODEC(TaskOverlay)
FOUNDRY_CODEC(SessionOverlay)
FOUNDRY_CODEC(Organization)
FOUNDRY_CODEC(Repository)
FOUNDRY_CODEC(Agent)
FOUNDRY_CODEC(TaskSummary)
FOUNDRY_CODEC(Attention)
FOUNDRY_CODEC(Task)
FOUNDRY_CODEC(Stage)
FOUNDRY_CODEC(Session)
FOUNDRY_CODEC(QueuedPrompt)
FOUNDRY_CODEC(Job)
FOUNDRY_CODEC(ChangesHeader)
FOUNDRY_CODEC(FileChange)
FOUNDRY_CODEC(TranscriptEntry)
FOUNDRY_CODEC(Process)
FOUNDRY_CODEC(CreateOrganization)
FOUNDRY_CODEC(TrustRepository)
FOUNDRY_CODEC(LoginAgent)
FOUNDRY_CODEC(ArchiveTask)
FOUNDRY_CODEC(UnarchiveTask)
FOUNDRY_CODEC(PreviewDelete)
FOUNDRY_CODEC(DeletePreview)
FOUNDRY_CODEC(DeleteTask)
FOUNDRY_CODEC(RestoreTask)
FOUNDRY_CODEC(JobAnswer)
FOUNDRY_CODEC(CancelJob)
FOUNDRY_CODEC(SearchTasks)
FOUNDRY_CODEC(TasksFound)
FOUNDRY_CODEC(Revert)
FOUNDRY_CODEC(UndoRevert)
FOUNDRY_CODEC(Commit)
FOUNDRY_CODEC(AnswerQuestion)
FOUNDRY_CODEC(CreateProcess)
FOUNDRY_CODEC(WriteInput)
FOUNDRY_CODEC(ResizeTerminal)
FOUNDRY_CODEC(StopProcess)
FOUNDRY_CODEC(KillProcess)
FOUNDRY_CODEC(DeleteProcess)
FOUNDRY_CODEC(GetProcessLogs)
FOUNDRY_CODEC(ProcessLogPage)
FOUNDRY_CODEC(ListDirectory)
FOUNDRY_CODEC(DirectoryPage)
FOUNDRY_CODEC(FindFiles)
FOUNDRY_CODEC(FilesFound)
FOUNDRY_CODEC(ReadFile)
FOUNDRY_CODEC(FilePage)
FOUNDRY_CODEC(SearchTranscript)
FOUNDRY_CODEC(TranscriptHits)
FOUNDRY_CODEC(ListAudit)
FOUNDRY_CODEC(AuditPage)
FOUNDRY_CODEC(ExportAudit)
FOUNDRY_CODEC(AuditExport)
FOUNDRY_CODEC(AuditEvent)
FOUNDRY_CODEC(DeletedTask)
FOUNDRY_CODEC(FileNode)

} // namespace foundry::protocol
