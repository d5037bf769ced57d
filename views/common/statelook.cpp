#include "views/common/statelook.h"

#include <QCoreApplication>

namespace foundry::views {

namespace {

QString stateWord(const char *text)
{
    return QCoreApplication::translate("State", text);
}

} // namespace

StateLook lookOf(const TaskRow &row)
{
    return row.needs == NeedsYou::Nothing ? lookOf(row.task.status) : lookOf(row.needs);
}

StateLook lookOf(const OpenEnum<TaskStatus> &status)
{
    if (!status.isKnown())
        return {Icon::Circle, &Colors::textMuted, status.text()};
    switch (status.valueOr(TaskStatus::Idle)) {
    case TaskStatus::Provisioning:
        return {Icon::CircleDashed, &Colors::amber, stateWord(QT_TRANSLATE_NOOP("State", "Provisioning"))};
    case TaskStatus::Ready:
        return {Icon::Circle, &Colors::textMuted, stateWord(QT_TRANSLATE_NOOP("State", "Ready"))};
    case TaskStatus::Running:
        return {Icon::CircleDot, &Colors::green, stateWord(QT_TRANSLATE_NOOP("State", "Running"))};
    case TaskStatus::Idle:
        return {Icon::CircleCheck, &Colors::textMuted, stateWord(QT_TRANSLATE_NOOP("State", "Idle"))};
    case TaskStatus::Error:
        return {Icon::CircleAlert, &Colors::red, stateWord(QT_TRANSLATE_NOOP("State", "Error"))};
    case TaskStatus::Archiving:
        return {Icon::Archive, &Colors::textFaint, stateWord(QT_TRANSLATE_NOOP("State", "Archiving"))};
    case TaskStatus::Archived:
        return {Icon::Archive, &Colors::textFaint, stateWord(QT_TRANSLATE_NOOP("State", "Archived"))};
    case TaskStatus::Deleting:
        return {Icon::Trash, &Colors::textFaint, stateWord(QT_TRANSLATE_NOOP("State", "Deleting"))};
    }
    return {};
}

StateLook lookOf(NeedsYou needs)
{
    switch (needs) {
    case NeedsYou::Permission:
        return {Icon::ShieldQuestion, &Colors::amber, stateWord(QT_TRANSLATE_NOOP("State", "Permission wanted"))};
    case NeedsYou::Question:
        return {Icon::CircleQuestion, &Colors::amber, stateWord(QT_TRANSLATE_NOOP("State", "Asks a question"))};
    case NeedsYou::Error:
        return {Icon::CircleAlert, &Colors::red, stateWord(QT_TRANSLATE_NOOP("State", "Error"))};
    case NeedsYou::Finished:
        return {Icon::CircleCheck, &Colors::green, stateWord(QT_TRANSLATE_NOOP("State", "Finished"))};
    case NeedsYou::Nothing:
        break;
    }
    return {Icon::Circle, &Colors::textMuted, {}};
}

StateLook lookOf(const OpenEnum<AgentState> &state)
{
    if (!state.isKnown())
        return {Icon::Circle, &Colors::textMuted, state.text()};
    switch (state.valueOr(AgentState::Broken)) {
    case AgentState::Ready:
        return {Icon::CircleCheck, &Colors::green, stateWord(QT_TRANSLATE_NOOP("State", "ready"))};
    case AgentState::Unconfirmed:
        return {Icon::CircleQuestion, &Colors::amber, stateWord(QT_TRANSLATE_NOOP("State", "found, not confirmed"))};
    case AgentState::AdapterMissing:
        return {Icon::Download, &Colors::amber, stateWord(QT_TRANSLATE_NOOP("State", "adapter missing"))};
    case AgentState::NeedsLogin:
        return {Icon::LogIn, &Colors::amber, stateWord(QT_TRANSLATE_NOOP("State", "needs a login"))};
    case AgentState::NotInstalled:
        return {Icon::CircleDashed, &Colors::textFaint, stateWord(QT_TRANSLATE_NOOP("State", "not installed"))};
    case AgentState::Broken:
        return {Icon::CircleAlert, &Colors::red, stateWord(QT_TRANSLATE_NOOP("State", "broken"))};
    }
    return {};
}

StateLook lookOf(const Repository &repository)
{
    if (!repository.state.isKnown())
        return {Icon::FolderGit, &Colors::textMuted, repository.state.text()};
    switch (repository.state.valueOr(RepositoryState::Ready)) {
    case RepositoryState::Checking:
        return {Icon::CircleDashed, &Colors::amber, stateWord(QT_TRANSLATE_NOOP("State", "checking"))};
    case RepositoryState::Cloning:
        return {Icon::Download, &Colors::amber, stateWord(QT_TRANSLATE_NOOP("State", "cloning"))};
    case RepositoryState::Ready:
        return {Icon::FolderGit, &Colors::textMuted, stateWord(QT_TRANSLATE_NOOP("State", "ready"))};
    case RepositoryState::Error:
        return {Icon::CircleAlert, &Colors::red, stateWord(QT_TRANSLATE_NOOP("State", "error"))};
    }
    return {};
}

QString stageWords(const QString &stageName)
{
    static const std::pair<QLatin1StringView, const char *> words[] = {
        {QLatin1StringView("branch_attach"), QT_TRANSLATE_NOOP("State", "Choosing the branch")},
        {QLatin1StringView("sandbox_allocated"), QT_TRANSLATE_NOOP("State", "Making a work tree")},
        {QLatin1StringView("repo_prepared"), QT_TRANSLATE_NOOP("State", "Preparing the repository")},
        {QLatin1StringView("agent_installing"), QT_TRANSLATE_NOOP("State", "Installing the agent")},
        {QLatin1StringView("agent_starting"), QT_TRANSLATE_NOOP("State", "Starting the agent")},
        {QLatin1StringView("agent_ready"), QT_TRANSLATE_NOOP("State", "Waiting for the agent")},
        {QLatin1StringView("session_creating"), QT_TRANSLATE_NOOP("State", "Opening the session")},
        {QLatin1StringView("ready"), QT_TRANSLATE_NOOP("State", "Delivering the prompt")},
    };
    const QString name = stageName.section(QLatin1Char('/'), -1);
    for (const auto &[known, text] : words) {
        if (name == known)
            return stateWord(text);
    }
    return stageName;
}

Icon agentIcon(const AgentId &agent)
{
    return agent.value == QLatin1StringView("runner") ? Icon::Terminal : Icon::Bot;
}

QString agentWords(const TaskSummary &task)
{
    QStringList names;
    for (const SessionBrief &session : task.sessions) {
        if (!session.agent.isEmpty() && !names.contains(session.agent.value))
            names.append(session.agent.value);
    }
    return names.join(QLatin1StringView(", "));
}

} // namespace foundry::views
