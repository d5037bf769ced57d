#include "app/wiring/taskpagebinding.h"

#include "app/loopwatchdog.h"
#include "models/tasklistmodel.h"
#include "models/topicvalues.h"

#include <QDateTime>
#include <QDesktopServices>

#include <algorithm>

namespace foundry::app {

using realtime::Answered;
using realtime::TopicFeed;
using views::TaskPage;

namespace {

// Tasks whose models stay after the page turned to another.
constexpr size_t taskPageKept = 6;
constexpr qint64 taskPageBlobLimit = 4 * 1024 * 1024;
constexpr std::chrono::milliseconds taskPagePatience(600);

} // namespace

TaskPageBinding::TaskPageBinding(
    TaskPage &page, realtime::HostClient &host, TaskListModel &tasks, LoopWatchdog &watchdog, QObject *parent)
    : QObject(parent)
    , m_page(page)
    , m_host(host)
    , m_tasks(tasks)
    , m_watchdog(watchdog)
{
    connectSessions();
    connectQueue();
    connectReads();
    connectTask();
    connect(&host.overlayFeed(), &TopicFeed::replaced, this, [this](const ChangesPage &all) { noteOverlays(all.upserts); });
    connect(&host.overlayFeed(), &TopicFeed::applied, this, [this](const TopicEvent &event) { noteOverlays(event.upserts); });
    const auto summaries = [this](const QList<Entity> &entities) {
        for (const TaskSummary &task : valuesOf<TaskSummary>(entities)) {
            if (m_shown && task.id == m_shown->id()) {
                m_page.setSummary(task);
                markSeen(task);
            }
        }
    };
    connect(&host.organizationFeed(), &TopicFeed::replaced, this, [summaries](const ChangesPage &all) { summaries(all.upserts); });
    connect(&host.organizationFeed(), &TopicFeed::applied, this, [summaries](const TopicEvent &event) { summaries(event.upserts); });
    if (realtime::Outbox *outbox = host.outbox()) {
        connect(outbox, &realtime::Outbox::draftRestored, this, &TaskPageBinding::noteDraft);
        for (const UpdateDraft &draft : outbox->drafts())
            noteDraft(draft);
    }
    m_lost.setSingleShot(true);
    m_lost.setInterval(taskPagePatience);
    connect(&m_lost, &QTimer::timeout, this, [this] { m_page.setConnected(m_host.connection().isLive()); });
    connect(&host, &realtime::HostClient::stateChanged, this, &TaskPageBinding::followLink);
    followLink();
}

// A short break changes nothing on the page: what is given meanwhile waits for it.
void TaskPageBinding::followLink()
{
    if (m_host.connection().isLive()) {
        m_lost.stop();
        m_page.setConnected(true);
    } else if (!m_lost.isActive()) {
        m_lost.start();
    }
}

TaskPageBinding::~TaskPageBinding()
{
    close();
}

void TaskPageBinding::open(const TaskSummary &task, const SessionId &session, std::optional<qint64> entry)
{
    m_watchdog.mark(QStringLiteral("open task"));
    OpenTask *opened = of(task.id);
    if (!opened) {
        m_open.push_back(std::make_unique<OpenTask>(m_host.task(task.repoId, task.id)));
        opened = m_open.back().get();
        connect(opened, &OpenTask::detailsChanged, this, [this, opened](const Task &details) {
            if (opened == m_shown)
                m_page.setTaskDetails(details);
        });
        connect(opened, &OpenTask::failed, this, [this, opened](const Error &error) {
            if (opened == m_shown)
                m_page.showError(error);
        });
    }
    if (m_shown && m_shown != opened)
        m_shown->hide();
    m_shown = opened;
    opened->show();
    m_page.setTask({task.id, &opened->stages(), &opened->sessions(), &opened->queue(), &opened->changes()});
    m_page.setSummary(task);
    if (opened->details())
        m_page.setTaskDetails(*opened->details());
    if (!session.isEmpty())
        m_page.activateSession(session);
    // The page may have chosen a session while its models came in, before there was someone to hear it.
    if (!m_page.activeSession().isEmpty())
        activate(m_page.activeSession());
    if (entry)
        m_page.revealEntry(*entry);
    markSeen(task);

    // Most recent last; the oldest beyond the limit goes.
    const auto at = std::find_if(m_open.begin(), m_open.end(), [opened](const auto &one) { return one.get() == opened; });
    std::rotate(at, at + 1, m_open.end());
    if (m_open.size() > taskPageKept)
        m_open.erase(m_open.begin());
}

void TaskPageBinding::close()
{
    if (!m_shown)
        return;
    m_page.setTask({});
    m_shown->hide();
    m_shown = nullptr;
}

OpenTask *TaskPageBinding::of(const TaskId &task)
{
    for (const auto &one : m_open) {
        if (one->id() == task)
            return one.get();
    }
    return nullptr;
}

Answered<Unit> TaskPageBinding::report(const TaskId &task)
{
    return [this, task](const Result<> &answer) {
        if (!answer && m_shown && m_shown->id() == task)
            m_page.showError(answer.error());
    };
}

void TaskPageBinding::activate(const SessionId &session)
{
    m_page.setTranscript(session, &m_shown->showSession(session));
    if (const auto draft = m_drafts.constFind(session); draft != m_drafts.cend())
        m_page.setDraft(session, *draft);
}

void TaskPageBinding::noteOverlays(const QList<Entity> &entities)
{
    for (const SessionOverlay &overlay : valuesOf<SessionOverlay>(entities)) {
        // What was typed here and has not reached the host yet is later than what the host knows.
        if (m_host.outbox() && m_host.outbox()->draft(overlay.id))
            continue;
        if (!overlay.draft) {
            m_drafts.remove(overlay.id);
            continue;
        }
        m_drafts.insert(overlay.id, *overlay.draft);
        if (m_shown)
            m_page.setDraft(overlay.id, *overlay.draft);
    }
}

void TaskPageBinding::noteDraft(const UpdateDraft &draft)
{
    if (!draft.draft) {
        m_drafts.remove(draft.sessionId);
        return;
    }
    m_drafts.insert(draft.sessionId, *draft.draft);
    if (m_shown)
        m_page.setDraft(draft.sessionId, *draft.draft);
}

void TaskPageBinding::markSeen(const TaskSummary &task)
{
    const TaskRow *row = m_tasks.find(task.id);
    const Millis seen = row ? row->overlay.lastSeenAt : 0;
    const bool unread = row && row->overlay.unread;
    if ((task.lastTurnEndedAt && *task.lastTurnEndedAt > seen) || unread)
        m_host.user().setSeen(task.id, QDateTime::currentMSecsSinceEpoch(), this);
}

void TaskPageBinding::connectSessions()
{
    connect(&m_page, &TaskPage::sessionActivated, this, [this](const TaskId &task, const SessionId &session) {
        if (!m_shown || m_shown->id() != task)
            return;
        activate(session);
        m_host.user().setActiveSession(task, session, this);
    });
    connect(&m_page, &TaskPage::newSessionRequested, this, [this](const TaskId &task, const AgentId &agent) {
        if (OpenTask *open = of(task)) {
            const std::optional<AgentId> chosen = agent.isEmpty() ? std::nullopt : std::optional<AgentId>(agent);
            const SessionId session = open->client().commands().createSession(
                chosen, std::nullopt, this, [report = report(task)](const Result<Session> &answer) {
                    if (!answer)
                        report(answer.error());
                });
            m_page.activateSession(session);
        }
    });
    connect(&m_page, &TaskPage::renameSessionRequested, this,
        [this](const TaskId &task, const SessionId &session, const QString &name) {
            if (OpenTask *open = of(task))
                open->client().commands().renameSession(session, name, this, report(task));
        });
    connect(&m_page, &TaskPage::closeSessionRequested, this, [this](const TaskId &task, const SessionId &session) {
        if (OpenTask *open = of(task))
            open->client().commands().closeSession(session, this, report(task));
    });
    connect(&m_page, &TaskPage::setModelRequested, this,
        [this](const TaskId &task, const SessionId &session, const QString &model) {
            if (OpenTask *open = of(task))
                open->client().commands().setModel(session, model, this, report(task));
        });
    connect(&m_page, &TaskPage::setModeRequested, this,
        [this](const TaskId &task, const SessionId &session, const QString &mode) {
            if (OpenTask *open = of(task))
                open->client().commands().setMode(session, mode, this, report(task));
        });
    connect(&m_page, &TaskPage::setOptionRequested, this,
        [this](const TaskId &task, const SessionId &session, const QString &option, const QString &value) {
            if (OpenTask *open = of(task))
                open->client().commands().setOption(session, option, value, this, report(task));
        });
}

void TaskPageBinding::connectQueue()
{
    connect(&m_page, &TaskPage::sendRequested, this,
        [this](const TaskId &task, const SessionId &session, const QString &prompt) {
            OpenTask *open = of(task);
            if (!open)
                return;
            m_host.user().updateDraft(task, session, std::nullopt);
            const auto message = std::make_shared<QueueId>();
            *message = open->client().commands().sendMessage(session, prompt, this,
                [this, task, session, prompt, message, report = report(task)](const Result<> &answer) {
                    // Taken back while it waited: that was the user's wish, and nothing is given back.
                    if (answer || answer.error().key() == QLatin1StringView("client.cancelled"))
                        return;
                    // What the outbox keeps stands above the prompt, with the reason.
                    OpenTask *still = of(task);
                    if (still && !message->isEmpty() && still->client().commands().isInOutbox(*message))
                        return;
                    m_page.restorePrompt(session, prompt);
                    report(answer.error());
                });
        });
    connect(&m_page, &TaskPage::editQueuedRequested, this,
        [this](const TaskId &task, const QueueId &queued, const QString &prompt) {
            if (OpenTask *open = of(task))
                open->client().commands().editQueued(queued, prompt, this, report(task));
        });
    connect(&m_page, &TaskPage::dropQueuedRequested, this, [this](const TaskId &task, const QueueId &queued) {
        if (OpenTask *open = of(task))
            open->client().commands().dropQueued(queued, this, report(task));
    });
    connect(&m_page, &TaskPage::cancelTurnRequested, this, [this](const TaskId &task, const SessionId &session) {
        if (OpenTask *open = of(task))
            open->client().commands().cancelTurn(session, this, report(task));
    });
    connect(&m_page, &TaskPage::resendInterruptedRequested, this, [this](const TaskId &task, const SessionId &session) {
        if (OpenTask *open = of(task))
            open->client().commands().resendInterrupted(session, this, report(task));
    });
    connect(&m_page, &TaskPage::permissionAnswered, this,
        [this](const TaskId &task, const SessionId &session, const QString &request, const QString &option) {
            if (OpenTask *open = of(task))
                open->client().commands().answerPermission(session, request, option, this, report(task));
        });
    connect(&m_page, &TaskPage::draftChanged, this,
        [this](const TaskId &task, const SessionId &session, const Draft &draft) {
            m_drafts.insert(session, draft);
            const bool empty = draft.text.isEmpty() && draft.attachments.isEmpty();
            m_host.user().updateDraft(task, session, empty ? std::nullopt : std::optional<Draft>(draft));
        });
}

void TaskPageBinding::connectReads()
{
    connect(&m_page, &TaskPage::diffRequested, this,
        [this](const TaskId &task, const QString &path, ChangeScope scope, const QString &cursor) {
            if (OpenTask *open = of(task)) {
                open->client().commands().getDiff(path, scope, cursor, this,
                    [this, path, scope](const Result<DiffPage> &page) { m_page.setDiffPage(path, scope, page); });
            }
        });
    connect(&m_page, &TaskPage::stageLogRequested, this, [this](const TaskId &task, const QString &stage) {
        if (OpenTask *open = of(task)) {
            open->client().commands().getStageLog(stage, this, [this, stage](const Result<StageLog> &log) {
                m_page.setStageLog(stage, log ? Result<QString>(log->text) : Result<QString>(log.error()));
            });
        }
    });
    connect(&m_page, &TaskPage::blobRequested, this, [this](const TaskId &task, const BlobRef &blob) {
        if (OpenTask *open = of(task)) {
            open->client().commands().getBlob(
                blob.blobId, taskPageBlobLimit, this, [this, id = blob.blobId](const Result<QByteArray> &data) {
                    m_page.setBlob(id, data ? Result<QString>(QString::fromUtf8(*data)) : Result<QString>(data.error()));
                });
        }
    });
    connect(&m_page, &TaskPage::openLinkRequested, this, [](const QUrl &url) { QDesktopServices::openUrl(url); });
}

void TaskPageBinding::connectTask()
{
    connect(&m_page, &TaskPage::renameTaskRequested, this, [this](const TaskId &task, const QString &title) {
        if (OpenTask *open = of(task))
            open->client().commands().renameTask(title, this, report(task));
    });
    connect(&m_page, &TaskPage::retryStageRequested, this, [this](const TaskId &task, const QString &stage) {
        if (OpenTask *open = of(task))
            open->client().commands().retryStage(stage, this, report(task));
    });
    connect(&m_page, &TaskPage::cancelProvisioningRequested, this, [this](const TaskId &task) {
        if (OpenTask *open = of(task))
            open->client().commands().cancelProvisioning(this, report(task));
    });
    connect(&m_page, &TaskPage::resolveBranchClashRequested, this,
        [this](const TaskId &task, bool adopt, const QString &newName) {
            if (OpenTask *open = of(task)) {
                ResolveBranchClash choice;
                choice.adopt = adopt;
                if (!adopt)
                    choice.newName = newName;
                open->client().commands().resolveBranchClash(choice, this, report(task));
            }
        });
    connect(&m_page, &TaskPage::refreshChangesRequested, this, [this](const TaskId &task) {
        if (OpenTask *open = of(task))
            open->client().commands().refreshChanges(this, report(task));
    });
}

} // namespace foundry::app
