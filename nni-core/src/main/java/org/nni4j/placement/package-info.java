/** Where does each quantizer go? Config entries matched against layers give the plan. */
@NullMarked
package org.nni4j.placement;

import org.jspecify.annotations.NullMarked;
