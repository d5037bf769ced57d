#include "views/dashboard/repositorychip.h"

#include "views/dashboard/agentways.h"

#include <QCoreApplication>

namespace foundry::views {

Chip repositoryChip(const Repository &repository)
{
    const StateLook look = lookOf(repository);
    Chip chip{repository.name, {}, look.icon, look.color, look.color};
    if (!repository.state.is(RepositoryState::Ready))
        chip.note = look.word;
    if (repository.progress) {
        chip.note = QStringLiteral("%1 %").arg(qRound(*repository.progress * 100));
        chip.progress = repository.progress;
    }
    QStringList lines{repository.origin};
    if (repository.progressText)
        lines.append(*repository.progressText);
    if (repository.error)
        lines << repository.error->message << repository.error->action;
    if (repository.dirty)
        lines.append(QCoreApplication::translate("AddRepository",
            "Your checkout has uncommitted edits; tasks leave them alone."));
    lines.removeAll(QString());
    chip.toolTip = lines.join(QLatin1Char('\n'));
    return chip;
}

Chip agentChip(const Agent &agent)
{
    const StateLook look = lookOf(agent.state);
    Chip chip{agent.name, {}, agentIcon(agent.id), &Colors::textMuted, look.color};
    if (!agent.state.is(AgentState::Ready)) {
        chip.note = look.word;
        chip.icon = look.icon;
        chip.iconColor = look.color;
    }
    chip.toolTip = agentSentence(agent);
    return chip;
}

} // namespace foundry::views
