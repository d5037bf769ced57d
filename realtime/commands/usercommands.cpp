#include "realtime/commands/usercommands.h"

namespace foundry::realtime {

namespace {

// Longer than the cache collects its writes, and than the event takes.
constexpr std::chrono::milliseconds draftSettles(1500);

} // namespace

UserCommands::UserCommands(CommandQueue &queue, QObject *parent)
    : QObject(parent)
    , m_queue(queue)
{
    m_draftTimer.setSingleShot(true);
    m_draftTimer.setInterval(std::chrono::milliseconds(500));
    connect(&m_draftTimer, &QTimer::timeout, this, &UserCommands::flushDrafts);
}

void UserCommands::selectOrganization(const OrganizationId &organization, QObject *context, Answered<Unit> then)
{
    SelectOrganization command;
    command.organizationId = organization;
    sendCommand(m_queue, QStringLiteral("selectOrganization"), command, context, std::move(then));
}

void UserCommands::setDefaults(const TaskDefaults &defaults, QObject *context, Answered<Unit> then)
{
    SetDefaults command;
    command.defaults = defaults;
    sendCommand(m_queue, QStringLiteral("setDefaults"), command, context, std::move(then));
}

void UserCommands::setUnread(const TaskId &task, bool unread, QObject *context, Answered<Unit> then)
{
    SetUnread command;
    command.taskId = task;
    command.unread = unread;
    sendCommand(m_queue, QStringLiteral("setUnread"), command, context, std::move(then));
}

void UserCommands::setSeen(const TaskId &task, Millis at, QObject *context, Answered<Unit> then)
{
    SetSeen command;
    command.taskId = task;
    command.at = at;
    sendCommand(m_queue, QStringLiteral("setSeen"), command, context, std::move(then));
}

void UserCommands::setActiveSession(
    const TaskId &task, const SessionId &session, QObject *context, Answered<Unit> then)
{
    SetActiveSession command;
    command.taskId = task;
    command.sessionId = session;
    sendCommand(m_queue, QStringLiteral("setActiveSession"), command, context, std::move(then));
}

void UserCommands::updateDraft(const TaskId &task, const SessionId &session, const std::optional<Draft> &draft)
{
    UpdateDraft command;
    command.taskId = task;
    command.sessionId = session;
    command.draft = draft;
    m_drafts.insert(session, command);
    if (m_outbox)
        m_outbox->setDraft(command);
    if (!m_draftTimer.isActive())
        m_draftTimer.start();
}

void UserCommands::flushDrafts()
{
    m_draftTimer.stop();
    if (m_outbox) {
        m_outbox->flushDrafts();
        if (!m_queue.connection().isLive())
            return; // they are safe, and only the last of them is of interest to the host
    }
    QHash<SessionId, UpdateDraft> drafts;
    drafts.swap(m_drafts);
    for (const UpdateDraft &draft : std::as_const(drafts))
        sendCommand(m_queue, QStringLiteral("updateDraft"), draft, this, Answered<Unit>([this, draft](const Result<> &answer) {
            if (!answer || !m_outbox)
                return;
            // The host has it, but only when the cache has it too it is found again by a start without the host.
            QTimer::singleShot(draftSettles, this, [this, draft] { m_outbox->confirmDraft(draft); });
        }));
}

void UserCommands::setOutbox(Outbox *outbox)
{
    m_outbox = outbox;
    connect(&m_queue.connection(), &ActorConnection::becameLive, this, &UserCommands::flushDrafts);
    if (outbox->isRestored())
        restoreDrafts();
    else
        connect(outbox, &Outbox::restored, this, &UserCommands::restoreDrafts);
}

void UserCommands::restoreDrafts()
{
    for (const UpdateDraft &draft : m_outbox->drafts()) {
        if (!m_drafts.contains(draft.sessionId))
            m_drafts.insert(draft.sessionId, draft);
    }
    flushDrafts();
}

} // namespace foundry::realtime
