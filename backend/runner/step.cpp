#include "backend/runner/step.h"

#include "backend/runner/editstep.h"
#include "backend/runner/findstep.h"
#include "backend/runner/helptext.h"
#include "backend/runner/runstep.h"
#include "backend/runner/turn.h"

namespace foundry::runner {

namespace {

class HelpStep : public Step {
public:
    using Step::Step;
    void start() override
    {
        turn.say(helpText());
        Q_EMIT finished(true);
    }
    void cancel() override { }
};

} // namespace

std::unique_ptr<Step> makeStep(Turn &turn, const Command &command)
{
    if (command.name == QLatin1String("run") || command.name == QLatin1String("test"))
        return std::make_unique<RunStep>(turn, command);
    if (command.name == QLatin1String("find") || command.name == QLatin1String("todo"))
        return std::make_unique<FindStep>(turn, command);
    if (command.name == QLatin1String("write") || command.name == QLatin1String("replace"))
        return std::make_unique<EditStep>(turn, command);
    return std::make_unique<HelpStep>(turn, command);
}

} // namespace foundry::runner
