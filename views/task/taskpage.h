// The page of one task: header, stage timeline, session tabs, transcript, composer, changes and diffs. It shows models and
// values that it is handed and says by signals what the user wants; it waits for nothing and asks nobody. GUI thread.
//
// Feeding it, in any order after setTask(): setSummary() whenever the task's row changes; setTranscript() as the answer to
// sessionActivated(); setDiffPage(), setStageLog(), setBlob() as answers to the requests of the same name. Models belong to
// the caller and must outlive their stay here (setTask({}) lets go of all of them); a model that is destroyed is let go of.
#pragma once

#include "models/types/changes.h"
#include "models/types/organization.h"
#include "models/types/outboxitem.h"
#include "models/types/result.h"
#include "models/types/task.h"
#include "models/types/user.h"

#include <QHash>
#include <QPointer>
#include <QUrl>
#include <QWidget>

class QSplitter;
class QStackedWidget;

namespace foundry {
class ChangesModel;
class QueuedPromptModel;
class SessionListModel;
class StageListModel;
class TranscriptModel;
}

namespace foundry::views {

class AsOfLabel;
class ChangesPanel;
class CodeHighlighter;
class Composer;
class DiffView;
class ErrorStrip;
class SessionTabs;
class StageTimeline;
class TaskHeader;
class TextTab;
class ThemeProvider;
class TranscriptView;

struct TaskPageModels {
    TaskId taskId;
    StageListModel *stages = nullptr;
    SessionListModel *sessions = nullptr;
    QueuedPromptModel *queue = nullptr; // of all sessions of the task
    ChangesModel *changes = nullptr;
};

class TaskPage : public QWidget {
    Q_OBJECT
public:
    // Both dependencies must outlive the page.
    // `changes`: made by somebody before, so that not all is built in one turn; the page takes it. None: it makes its own.
    TaskPage(ThemeProvider *theme, CodeHighlighter *highlighter, ChangesPanel *changes = nullptr, QWidget *parent = nullptr);
    ~TaskPage() override;

    TaskId taskId() const { return m_models.taskId; }
    SessionId activeSession() const { return m_session; }

    // A task without id empties the page. Drafts, folds and scroll places of other tasks are kept by session; opened diffs
    // and logs are closed.
    void setTask(const TaskPageModels &models);
    void setSummary(const TaskSummary &summary);
    void setTaskDetails(const Task &task); // prompt and work tree, once known
    void setAgents(const QList<Agent> &agents); // names for tabs, choices for a new session
    void setConnected(bool connected);

    // Shows this session's tab, as soon as there is one; emits sessionActivated() when it was another.
    void activateSession(const SessionId &session);
    // The transcript of a session; null: not there yet, shown as loading. Older entries are asked for by the model itself
    // (TranscriptModel::olderWanted).
    void setTranscript(const SessionId &session, TranscriptModel *transcript);
    // Scrolls to an entry that is loaded (from Needs you).
    void revealEntry(qint64 entryIndex);

    void setDraft(const SessionId &session, const Draft &draft); // of an overlay; never over what is being typed
    // What of this task waits for the host's answer, in order: shown above the composer.
    void setOutbox(const QList<OutboxItem> &items);
    // A prompt that could not be sent comes back into the composer.
    void restorePrompt(const SessionId &session, const QString &text);

    // Answers. An answer nobody waits for any more is dropped.
    void setDiffPage(const QString &path, ChangeScope scope, const Result<DiffPage> &page);
    void setStageLog(const QString &stageId, const Result<QString> &text);
    void setBlob(const BlobId &blob, const Result<QString> &text);
    // A command of this task failed: said above the composer until dismissed.
    void showError(const Error &error);

    void flushDraft(); // before the program ends
    void focusComposer();
    void setChangesVisible(bool visible);
    bool changesVisible() const;

Q_SIGNALS:
    void taskChanged(); // another one is shown, or none
    void sessionActivated(const foundry::TaskId &task, const foundry::SessionId &session);
    void newSessionRequested(const foundry::TaskId &task, const foundry::AgentId &agent); // empty agent: the default one
    void renameSessionRequested(const foundry::TaskId &task, const foundry::SessionId &session, const QString &name);
    void closeSessionRequested(const foundry::TaskId &task, const foundry::SessionId &session);

    void sendRequested(const foundry::TaskId &task, const foundry::SessionId &session, const QString &prompt);
    void editQueuedRequested(const foundry::TaskId &task, const foundry::QueueId &queued, const QString &prompt);
    void dropQueuedRequested(const foundry::TaskId &task, const foundry::QueueId &queued);
    // An entry of the outbox: put away; sent once more; a message back into the composer (restorePrompt()).
    void dropUnsentRequested(const foundry::RequestId &id);
    void sendAgainRequested(const foundry::RequestId &id);
    void takeBackRequested(const foundry::RequestId &id);
    void cancelTurnRequested(const foundry::TaskId &task, const foundry::SessionId &session);
    void resendInterruptedRequested(const foundry::TaskId &task, const foundry::SessionId &session);
    void permissionAnswered(const foundry::TaskId &task, const foundry::SessionId &session, const QString &requestId,
        const QString &optionId);
    void setModelRequested(const foundry::TaskId &task, const foundry::SessionId &session, const QString &model);
    void setModeRequested(const foundry::TaskId &task, const foundry::SessionId &session, const QString &mode);
    void setOptionRequested(const foundry::TaskId &task, const foundry::SessionId &session, const QString &option,
        const QString &value);
    void draftChanged(const foundry::TaskId &task, const foundry::SessionId &session, const foundry::Draft &draft);

    void renameTaskRequested(const foundry::TaskId &task, const QString &title);
    void retryStageRequested(const foundry::TaskId &task, const QString &stageId);
    void cancelProvisioningRequested(const foundry::TaskId &task);
    void resolveBranchClashRequested(const foundry::TaskId &task, bool adopt, const QString &newName);
    void stageLogRequested(const foundry::TaskId &task, const QString &stageId);

    void blobRequested(const foundry::TaskId &task, const foundry::BlobRef &blob);
    // An empty cursor asks for the first page.
    void diffRequested(const foundry::TaskId &task, const QString &path, foundry::ChangeScope scope, const QString &cursor);
    void refreshChangesRequested(const foundry::TaskId &task);
    // A link the user has confirmed; the receiver opens it.
    void openLinkRequested(const QUrl &url);

protected:
    void keyPressEvent(QKeyEvent *event) override;

private:
    // taskpage.cpp: what is shown
    void buildLayout();
    void watchSessions();
    void watchChanges();
    void chooseSession();
    void sessionChosen(const SessionId &session);
    void updateSession();
    void updateUnread();
    void updateEmptyText();
    void updateBlocked();
    void updateAsOf();
    void clearDocuments();
    const Session *session() const;
    // taskpageconnections.cpp: what the parts ask for
    void connectParts();
    void connectConversation();
    void openDiff(const QString &path, ChangeScope scope);
    TextTab *openText(const QString &documentId, const QString &title);
    void showDocument(const QString &documentId);
    void closeDocument(const QString &documentId);
    void confirmLink(const QUrl &url);

    ThemeProvider *m_theme;
    CodeHighlighter *m_highlighter;
    TaskPageModels m_models;
    TaskSummary m_summary;
    QList<Agent> m_agents;
    SessionId m_session;
    SessionId m_wanted; // asked for before its row was there
    QHash<TaskId, SessionId> m_lastSession;
    QHash<SessionId, qint64> m_seenEntries;
    QHash<QString, QPointer<QWidget>> m_documents; // open diffs and logs by id
    QMetaObject::Connection m_changesWatch;
    bool m_connected = true;

    TaskHeader *m_header = nullptr;
    StageTimeline *m_stages = nullptr;
    SessionTabs *m_tabs = nullptr;
    AsOfLabel *m_asOf = nullptr; // of the conversation
    QSplitter *m_splitter = nullptr;
    QStackedWidget *m_stack = nullptr;
    QWidget *m_conversation = nullptr;
    TranscriptView *m_transcript = nullptr;
    ErrorStrip *m_error = nullptr;
    Composer *m_composer = nullptr;
    QWidget *m_side = nullptr;
    ChangesPanel *m_changes = nullptr;
};

} // namespace foundry::views
