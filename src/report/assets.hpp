// The page's parts, embedded when the module is built.
#pragma once

namespace rltune::report {

extern const char* const kReportCss;
extern const char* const kReportJs;
extern const char* const kPlotCss;  // uPlot
extern const char* const kPlotJs;

}  // namespace rltune::report
